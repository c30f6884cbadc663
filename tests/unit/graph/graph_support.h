/* SPDX-License-Identifier: MIT
 * Weights without contents, for programs that are built and planned but not run. */
#ifndef LM_TESTS_GRAPH_SUPPORT_H
#define LM_TESTS_GRAPH_SUPPORT_H

#include "counting.h"

#include "graph/graph.h"

/* A tensor of this shape; each call makes another one, whatever the graph already has. */
static inline int32_t new_tensor(lm_graph *g, int64_t ne0, int64_t ne1, int64_t ne2) {
    static char places[1 << 16];
    static size_t next;
    lm_tensor t = {.name = "w",
                   .dtype = LM_DTYPE_F32,
                   .n_dims = 3,
                   .ne = {ne0, ne1, ne2, 1},
                   .data = &places[next++ % sizeof places],
                   .bytes = (uint64_t)(ne0 * ne1 * ne2) * 4};
    return lm_graph_tensor(g, &t);
}

static const lm_graph_limits small_limits = {
    .max_tokens = 5, .max_outputs = 3, .max_spans = 2, .max_positions = 64, .n_states = 2};

#endif
