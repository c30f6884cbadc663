/* SPDX-License-Identifier: MIT
 * The conformance suite of backends: for every operation of ops.h and every type it can read, small programs run on the tested backend
 * and on a reference (the CPU with plain C kernels, one thread), batch after batch with sequences that continue; results, cache pages
 * and recurrent states must be the same bytes. Values that live before, between and after the tested ones must come through unharmed.
 *
 * A new backend calls conformance_run with its table and passes. Operations it does not support are counted, not run. */
#ifndef LM_TESTS_CONFORMANCE_H
#define LM_TESTS_CONFORMANCE_H

#include <stdbool.h>

#include <lm/backend.h>

#include "../../lib/base/env.h"
#include "../../lib/graph/graph.h"

typedef struct conformance_report {
    int32_t n_run;                /* programs compared */
    int32_t n_unsupported;        /* programs the tested backend does not take */
    int32_t n_of_op[LM_OP_COUNT]; /* programs run, by the operation they are about */
    int32_t n_failed;
    char first_failure[256];
} conformance_report;

/* Device 0 of tested against device 0 of reference. thorough: every type; else one of each kind. */
void conformance_run(const lm_env *env, const lm_backend *tested, const lm_backend *reference, bool thorough,
                     conformance_report *report);

/* ---- between the runner (conformance.c) and the programs (conformance_cases.c) ---- */

#define CONFORMANCE_MOST_TOKENS 48
#define CONFORMANCE_POSITIONS 192
#define CONFORMANCE_ROWS 64 /* of the tables that inputs come from */

/* A program being made. */
typedef struct conformance_maker {
    const lm_env *env;
    lm_graph graph;
    uint64_t seed;
    void *blocks[48]; /* weights, from malloc */
    int32_t n_blocks;
} conformance_maker;

float conformance_random(conformance_maker *m); /* [-1, 1) */
/* A value of random rows; a weight of random numbers; -1 and a skipped program when the type has no quantiser. */
int32_t conformance_input(conformance_maker *m, int32_t width);
int32_t conformance_weight(conformance_maker *m, int32_t dtype, int64_t ne0, int64_t ne1, int64_t ne2);
/* Positive weights around scale: decays, norms. */
int32_t conformance_vector(conformance_maker *m, int64_t n, float low, float high);

typedef struct conformance_case {
    int32_t op;
    int32_t a, b, c; /* what the case makes of them: a type, a variant */
    /* Append the operation; returns what it gives, more than one value concatenated. -1 with a graph without failure: skip. */
    int32_t (*build)(conformance_maker *m, const struct conformance_case *c);
} conformance_case;

/* Fills out when it has room for number; false past the last. */
bool conformance_case_at(int32_t number, bool thorough, conformance_case *out);

#endif
