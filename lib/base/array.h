/* SPDX-License-Identifier: MIT
 * A growing array of one element type, declared by LM_ARRAY(type) and kept in a struct with data, count, capacity. Growth
 * doubles; failure leaves the array as it was. */
#ifndef LM_BASE_ARRAY_H
#define LM_BASE_ARRAY_H

#include <stdbool.h>

#include "checked.h"
#include "env.h"

#define LM_ARRAY(type)                                                                                                       \
    struct {                                                                                                                 \
        type *data;                                                                                                          \
        size_t count, capacity;                                                                                              \
    }

/* Make room for extra more elements: true, or false when out of memory. */
#define lm_array_reserve(env, array, extra) lm_array_reserve_bytes((env), (array), (extra), sizeof *(array)->data)

/* Append one element: true, or false when out of memory. */
#define lm_array_push(env, array, element)                                                                                   \
    ((array)->count < (array)->capacity || lm_array_reserve((env), (array), 1)                                               \
         ? ((array)->data[(array)->count++] = (element), true)                                                               \
         : false)

/* Leaves an empty array. */
#define lm_array_free(env, array) lm_array_free_bytes((env), (array), sizeof *(array)->data)

/* How the functions below see every array: the type of data differs, so an array is copied in and out as bytes. */
typedef LM_ARRAY(void) lm_array_any;

/* The work of the macros: array points to an LM_ARRAY of elements of size bytes. */
bool lm_array_reserve_bytes(const lm_env *env, void *array, size_t extra, size_t size);
void lm_array_free_bytes(const lm_env *env, void *array, size_t size);

#endif
