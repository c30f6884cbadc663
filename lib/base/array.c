/* SPDX-License-Identifier: MIT
 * Growing and freeing an array, whatever its elements are. */
#include "array.h"

#include <string.h>

bool lm_array_reserve_bytes(const lm_env *env, void *array, size_t extra, size_t size) {
    lm_array_any any;
    size_t needed, bytes;
    memcpy(&any, array, sizeof any);
    if (!lm_size_add(any.count, extra, &needed)) return false;
    if (needed <= any.capacity) return true;
    size_t grown = any.capacity > SIZE_MAX / 2 ? needed : lm_size_max(any.capacity * 2, lm_size_max(needed, 8));
    if (!lm_size_mul(grown, size, &bytes)) return false;
    void *data = lm_resize(env, any.data, any.capacity * size, bytes);
    if (!data) return false;
    any.data = data;
    any.capacity = grown;
    memcpy(array, &any, sizeof any);
    return true;
}

void lm_array_free_bytes(const lm_env *env, void *array, size_t size) {
    lm_array_any any;
    memcpy(&any, array, sizeof any);
    lm_free(env, any.data, any.capacity * size);
    memset(array, 0, sizeof any);
}
