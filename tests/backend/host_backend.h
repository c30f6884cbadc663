/* SPDX-License-Identifier: MIT
 * Two backends for tests. The host backend stands in front of another one under a name of its own, with objects that nobody else's
 * functions accept, and can be told to fail. The idle backend takes everything and does nothing. */
#ifndef LM_TESTS_HOST_BACKEND_H
#define LM_TESTS_HOST_BACKEND_H

#include <stdbool.h>

#include <lm/backend.h>

typedef struct host_backend {
    const lm_backend *inner;
    int32_t n_devices;
    bool hides_memory; /* no value_map, as a device with memory of its own */
    int32_t n_objects; /* weights, caches and segments not yet destroyed */
    int32_t n_runs;
    int32_t n_mixed_up; /* calls with an object of another backend or device */
    int32_t fail_at;    /* the call with this number fails, counting from 1; 0: none */
    int32_t n_calls;    /* calls that may fail */
    bool failed;
} host_backend;

lm_backend host_backend_table(host_backend *host);

typedef struct idle_backend {
    int32_t n_objects;
} idle_backend;

lm_backend idle_backend_table(idle_backend *idle);

#endif
