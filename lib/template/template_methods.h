/* SPDX-License-Identifier: MIT
 * The tables of methods by type. */
#ifndef LM_TEMPLATE_METHODS_H
#define LM_TEMPLATE_METHODS_H

#include "template_interp.h"

extern const lm_native_entry lm_methods_text[];

#endif
