/* SPDX-License-Identifier: MIT
 * Dates as text, in English whatever the locale. */
#ifndef LM_TEMPLATE_STRFTIME_H
#define LM_TEMPLATE_STRFTIME_H

#include "template_interp.h"

bool lm_template_strftime(lm_text_builder *out, const lm_template_clock *clock, const lm_text *format);

#endif
