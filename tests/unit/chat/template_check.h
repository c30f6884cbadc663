/* SPDX-License-Identifier: MIT
 * Rendering one template for a test, straight through the interpreter. */
#ifndef LM_TESTS_TEMPLATE_CHECK_H
#define LM_TESTS_TEMPLATE_CHECK_H

#include "check.h"

#include "base/env.h"
#include "chat/template_interp.h"

/* The clock of the reference values. */
static const lm_template_clock test_clock = {2026, 1, 2, 3, 4, 5};

typedef struct test_render {
    lm_template template;
    lm_interp interp;
    lm_env env;
    lm_status status;
    lm_error error;
    const lm_text *text;
    bool compiled;
} test_render;

/* variables is JSON already parsed. Call test_render_end after it. */
static inline void test_render_run(test_render *r, const char *source, size_t n, const lm_json *variables,
                                   const lm_allocator *allocator) {
    memset(r, 0, sizeof *r);
    lm_env_init(&r->env, allocator, NULL);
    lm_arena_init(&r->interp.arena, &r->env, LM_TEMPLATE_MEMORY_MAX);
    r->status = lm_template_read(&r->template, &r->env, source, n, &r->error);
    r->compiled = r->status == LM_OK;
    r->interp.steps_max = LM_TEMPLATE_STEPS_MAX;
    if (r->compiled)
        r->status = lm_interp_render(&r->interp, &r->template, variables, &test_clock, &r->error, &r->text);
}

static inline void test_render_end(test_render *r) {
    lm_arena_free(&r->interp.arena);
    lm_template_free(&r->template);
}

#endif
