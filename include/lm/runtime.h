/* SPDX-License-Identifier: MIT */
/**
 * lm_runtime: what the library needs from its host, in place of globals: memory, a log, threads, the instruction set, backends.
 *
 *     lm_runtime_params params = LM_RUNTIME_PARAMS_INIT;
 *     params.n_threads = 4;
 *     if (lm_runtime_create(&params, &runtime, &error) != LM_OK) return puts(error.message);
 *     model_params.runtime = runtime;
 *     // lm_model_open, lm_context_open, ...
 *     lm_runtime_destroy(runtime);       // models and contexts keep what they need of it
 *
 * A program that passes no runtime gets a default one per model. A runtime is immutable and shared by threads.
 */
#ifndef LM_RUNTIME_H
#define LM_RUNTIME_H

#include "backend.h"
#include "base.h"
#include "executor.h"

LM_BEGIN_DECLS

typedef struct lm_runtime lm_runtime;

/** How a runtime is made. Pointers are read by lm_runtime_create only, except the functions and user pointers inside. */
typedef struct lm_runtime_params {
    uint32_t struct_size;
    int32_t n_threads;                  /* the calling one included, up to 512; 0: one per performance core */
    const char *cpu;                    /* highest instruction set to use: generic avx2 avx2vnni avx512vnni neon dotprod i8mm; NULL: the best */
    const lm_allocator *allocator;      /* NULL: the C heap */
    const lm_log *log;                  /* NULL: silence */
    const lm_executor *executor;        /* NULL: own threads */
    const lm_backend *const *backends;  /* [n_backends] besides the CPU, in order of preference; each lives as long as the runtime */
    int32_t n_backends;
} lm_runtime_params;

#define LM_RUNTIME_PARAMS_INIT {sizeof(lm_runtime_params), 0, NULL, NULL, NULL, NULL, NULL, 0}

/**
 * Make a runtime. params may be NULL.
 *
 * LM_OK, LM_ERR_ARGUMENT (a parameter, an instruction set this machine does not have, a backend of another API version or without
 * a required function, an executor without one), LM_ERR_MEMORY. Since 0.1
 */
LM_API lm_status lm_runtime_create(const lm_runtime_params *params, lm_runtime **out, lm_error *error);

/** Give up the caller's hold; the runtime ends with the last model that uses it. NULL is allowed. Since 0.1 */
LM_API void lm_runtime_destroy(lm_runtime *runtime);

/** Threads of a batch at most, and the name of the instruction set in use (static string). 0 and NULL without a runtime. Since 0.1 */
LM_API int32_t lm_runtime_threads(const lm_runtime *runtime);
LM_API const char *lm_runtime_cpu(const lm_runtime *runtime);

/** What the machine can do at most, with the threads and the instruction set of a runtime. */
typedef struct lm_machine {
    uint32_t struct_size;
    int32_t n_threads;           /* that took part */
    double read_bytes_per_second; /* a plain loop over memory that no cache holds */
    double int_ops_per_second;   /* multiplications and additions of the widest integer dot product of the instruction set in use */
    uint64_t memory_total;       /* bytes this process may count on; 0: unknown */
    uint64_t memory_available;   /* of these, without swapping, now */
} lm_machine;

/**
 * Measure the machine: takes about half a second and 512 MiB, which are given back.
 *
 * LM_OK, LM_ERR_ARGUMENT, LM_ERR_MEMORY. Since 0.1
 */
LM_API lm_status lm_runtime_measure(lm_runtime *runtime, lm_machine *out);

/** MAJOR * 1000000 + MINOR * 1000 + PATCH of the library loaded. Since 0.1 */
LM_API int32_t lm_version(void);

LM_END_DECLS
#endif
