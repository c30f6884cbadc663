/* SPDX-License-Identifier: MIT
 * Running a program on devices: the operations are cut where the device changes, each piece becomes a backend's segment, and
 * values that cross a cut travel through host memory. With one device there is one segment and nothing travels. */
#ifndef LM_GRAPH_GRAPH_EXEC_H
#define LM_GRAPH_GRAPH_EXEC_H

#include <lm/backend.h>

#include "../base/env.h"

/* A device of a backend, with the weights of its layers already created there. */
typedef struct lm_placement {
    const lm_backend *backend;
    int32_t device;
    void *weights;
} lm_placement;

typedef struct lm_exec lm_exec;

/* layer_device[l + 1] is the placement of block l, [0] of what comes before the blocks, [n_layers + 1] of what comes after.
 * program and placements are borrowed until lm_exec_destroy. LM_ERR_UNSUPPORTED names the operation a device cannot run. */
lm_status lm_exec_create(const lm_env *env, const lm_program *program, const lm_placement *placements,
                         int32_t n_placements, const int32_t *layer_device, int32_t n_layers, lm_exec **out,
                         lm_error *error);
void lm_exec_destroy(lm_exec *exec);
/* What lm_exec_create would reserve: caches, and activations with everything else. */
typedef struct lm_exec_size {
    uint64_t cache_bytes, work_bytes;
} lm_exec_size;
lm_status lm_exec_measure(const lm_env *env, const lm_program *program, const lm_placement *placements,
                          int32_t n_placements, const int32_t *layer_device, int32_t n_layers, lm_exec_size *out,
                          lm_error *error);

/* Run a batch to its end. On failure the cache pages named by the batch hold undefined data. */
lm_status lm_exec_run(lm_exec *exec, const lm_run *run);
/* Take the first tokens of the last logged run through the recurrent operations again (backend.h). LM_ERR_UNSUPPORTED when a device
 * cannot: nothing has changed then. */
lm_status lm_exec_replay(lm_exec *exec, const lm_run *run);
/* Copy rows of a value of the last run to out. */
lm_status lm_exec_read(lm_exec *exec, int32_t value, int32_t first_row, int32_t n_rows, float *out);
/* Put rows of a value in place for a run that begins behind the operation which makes them. */
lm_status lm_exec_write(lm_exec *exec, int32_t value, int32_t first_row, int32_t n_rows, const float *in);
/* The value's rows in host memory until the next run, or NULL when the device has none to show. */
const float *lm_exec_map(lm_exec *exec, int32_t value);

/* Cache operations on every device that holds a part. */
lm_status lm_exec_copy_page(lm_exec *exec, int32_t group, int32_t to, int32_t from);
lm_status lm_exec_copy_state(lm_exec *exec, int32_t to, int32_t from);
lm_status lm_exec_clear_state(lm_exec *exec, int32_t slot);
lm_status lm_exec_read_page(lm_exec *exec, int32_t layer, int32_t page, void *out, size_t bytes);
lm_status lm_exec_write_page(lm_exec *exec, int32_t layer, int32_t page, const void *in, size_t bytes);
lm_status lm_exec_read_state(lm_exec *exec, int32_t layer, int32_t slot, float *out);
lm_status lm_exec_write_state(lm_exec *exec, int32_t layer, int32_t slot, const float *in);

#endif
