/* SPDX-License-Identifier: MIT
 * A growing array of one element type, declared by LM_ARRAY(type) and kept in a struct with data, count, capacity. Growth
 * doubles; failure leaves the array as it was. */
#ifndef LM_BASE_ARRAY_H
#define LM_BASE_ARRAY_H

#include <stdbool.h>
#include <string.h>

#include "checked.h"
#include "env.h"

#define LM_ARRAY(type)                                                                                                       \
    struct {                                                                                                                 \
        type *data;                                                                                                          \
        size_t count, capacity;                                                                                              \
    }

/* Make room for extra more elements: true, or false when out of memory. */
#define lm_array_reserve(env, array, extra)                                                                                  \
    lm_array_reserve_bytes((env), &(array)->data, &(array)->capacity, (array)->count, (extra), sizeof *(array)->data)

/* Append one element: true, or false when out of memory. */
#define lm_array_push(env, array, element)                                                                                   \
    (lm_array_reserve((env), (array), 1) ? ((array)->data[(array)->count++] = (element), true) : false)

#define lm_array_free(env, array)                                                                                            \
    (lm_free((env), (array)->data, (array)->capacity * sizeof *(array)->data), (array)->data = NULL, (array)->count = 0,     \
     (array)->capacity = 0)

/* data_slot is the address of the array's typed data pointer, read and written as bytes: its type differs per array. */
static inline bool lm_array_reserve_bytes(const lm_env *env, void *data_slot, size_t *capacity, size_t count, size_t extra,
                                          size_t size) {
    size_t needed, bytes;
    if (!lm_size_add(count, extra, &needed)) return false;
    if (needed <= *capacity) return true;
    size_t grown = *capacity > SIZE_MAX / 2 ? needed : lm_size_max(*capacity * 2, lm_size_max(needed, 8));
    if (!lm_size_mul(grown, size, &bytes)) return false;
    void *data;
    memcpy(&data, data_slot, sizeof data);
    data = lm_resize(env, data, *capacity * size, bytes);
    if (!data) return false;
    memcpy(data_slot, &data, sizeof data);
    *capacity = grown;
    return true;
}

#endif
