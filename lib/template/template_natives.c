/* SPDX-License-Identifier: MIT
 * Finding filters and tests by name. */
#include <string.h>

#include "template_filters.h"

lm_native lm_native_find(const lm_native_entry *table, const char *name, size_t n) {
    for (; table->name; table++)
        if (strlen(table->name) == n && memcmp(table->name, name, n) == 0) return table->native;
    return NULL;
}

lm_native lm_filter_find(lm_slice name) {
    static const lm_native_entry *const tables[] = {lm_filters_text,   lm_filters_json,   lm_filters_list,
                                                    lm_filters_select, lm_filters_number, lm_filters_order,
                                                    lm_filters_web};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        lm_native native = lm_native_find(tables[i], name.bytes, name.n);
        if (native) return native;
    }
    return NULL;
}

lm_native lm_test_find(lm_slice name) { return lm_native_find(lm_tests, name.bytes, name.n); }

bool lm_filter_apply(lm_interp *interp, lm_slice name, const lm_variant *self, const lm_arguments *arguments,
                     lm_variant *out) {
    lm_native native = lm_filter_find(name);
    if (!native) return lm_interp_fail(interp, "no filter named '%.*s'", (int)lm_size_min(name.n, 100), name.bytes);
    if (!lm_interp_enter(interp) || !native(interp, self, arguments, out)) return false;
    interp->depth--;
    return true;
}

bool lm_test_apply(lm_interp *interp, lm_slice name, const lm_variant *self, const lm_arguments *arguments, bool *out) {
    lm_native native = lm_test_find(name);
    lm_variant result;
    if (!native) return lm_interp_fail(interp, "no test named '%.*s'", (int)lm_size_min(name.n, 100), name.bytes);
    if (!native(interp, self, arguments, &result)) return false;
    *out = lm_variant_truth(&result);
    return true;
}
