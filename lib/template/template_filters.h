/* SPDX-License-Identifier: MIT
 * The tables of filters, each in the file that is its name, and helpers they share. */
#ifndef LM_TEMPLATE_FILTERS_H
#define LM_TEMPLATE_FILTERS_H

#include "template_interp.h"

extern const lm_native_entry lm_filters_text[], lm_filters_web[], lm_filters_number[], lm_filters_list[],
    lm_filters_select[], lm_filters_order[], lm_filters_json[];
extern const lm_native_entry lm_tests[];

/* An attribute as filters take it: a name with dots whose parts may be numbers, or an integer. */
bool lm_filter_attribute(lm_interp *interp, const lm_variant *item, const lm_variant *attribute, lm_variant *out);

#endif
