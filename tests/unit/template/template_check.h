/* SPDX-License-Identifier: MIT
 * Rendering one template for a test, straight through the room's door. */
#ifndef LM_TESTS_TEMPLATE_CHECK_H
#define LM_TESTS_TEMPLATE_CHECK_H

#include "check.h"

#include "template/template.h"

typedef struct test_render {
    lm_env env;
    lm_arena arena;
    lm_template *template; /* NULL: it could not be read */
    lm_status status;
    lm_error error;
    lm_template_output out;
} test_render;

/* variables is JSON already parsed; the clock is that of the reference values. Call test_render_end after it. */
static inline void test_render_run(test_render *r, const char *source, size_t n, const lm_json *variables,
                                   const lm_allocator *allocator) {
    const lm_template_inputs inputs = {variables, "messages", {2026, 1, 2, 3, 4, 5}, LM_TEMPLATE_STEPS_MAX};
    memset(r, 0, sizeof *r);
    lm_env_init(&r->env, allocator, NULL);
    lm_arena_init(&r->arena, &r->env, LM_TEMPLATE_MEMORY_MAX);
    r->status = lm_template_open(&r->env, source, n, &r->template, &r->error);
    if (r->status == LM_OK) r->status = lm_template_render(r->template, &r->arena, &inputs, &r->out, &r->error);
}

static inline void test_render_end(test_render *r) {
    lm_arena_free(&r->arena);
    lm_template_close(r->template);
}

#endif
