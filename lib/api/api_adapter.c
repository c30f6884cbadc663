/* SPDX-License-Identifier: MIT
 * The front door of adapters. */
#include <lm/adapter.h>

#include "../base/format.h"
#include "../context/context.h"
#include "../model/adapter.h"

lm_status lm_adapter_open(lm_model *model, const char *path, lm_adapter **out, lm_error *error) {
    if (!model || !path || !out)
        return lm_error_set(error, LM_ERR_ARGUMENT, "lm_adapter_open: %s is NULL",
                            !model  ? "model"
                            : !path ? "path"
                                    : "out");
    if (!*path) return lm_error_set(error, LM_ERR_ARGUMENT, "the path is empty");
    return lm_adapter_open_file(model, path, out, error);
}

void lm_adapter_close(lm_adapter *adapter) { lm_adapter_release(adapter); }

lm_status lm_context_set_adapters(lm_context *context, const lm_adapter_use *uses, size_t n) {
    return context ? lm_context_change_adapters(context, uses, n) : LM_ERR_ARGUMENT;
}
