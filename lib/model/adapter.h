/* SPDX-License-Identifier: MIT
 * An open adapter: its bytes, the directory over them, its tensors as programs see them. Immutable but for the reference count. */
#ifndef LM_MODEL_ADAPTER_H
#define LM_MODEL_ADAPTER_H

#include <lm/adapter.h>

#include "model.h"

struct lm_adapter {
    atomic_int references;
    const lm_env *env;
    lm_model *model; /* held */
    lm_os_mapping mapping;
    lm_gguf *gguf;
    lm_arena names;
    lm_tensor *tensors; /* [n_tensors], parallel to the directory */
    size_t n_tensors;
    float alpha;     /* 0: the scale is the user's alone */
    int32_t control; /* 1: a control vector */
};

lm_status lm_adapter_open_file(lm_model *model, const char *path, lm_adapter **out, lm_error *error);
void lm_adapter_hold(lm_adapter *adapter);
void lm_adapter_release(lm_adapter *adapter);

#endif
