/* SPDX-License-Identifier: MIT
 * The template room's door: a text in the language of Jinja2, as the models' templates use it, becomes a tree; the tree and
 * JSON variables become a text of which every byte's origin is known. Each render is bounded in steps, depth, memory and
 * output, reads no file and no clock, and can do nothing but make text. What the variables mean is the caller's affair. */
#ifndef LM_TEMPLATE_TEMPLATE_H
#define LM_TEMPLATE_TEMPLATE_H

#include <stdbool.h>

#include "../base/arena.h"
#include "../base/json.h"

typedef struct lm_template lm_template;

/* What a render may take at most: nodes evaluated plus work proportional to data (16 bytes copied or 4 items touched count as
 * one), and bytes, the limit to give its arena. */
#define LM_TEMPLATE_STEPS_MAX ((uint64_t)10000000)
#define LM_TEMPLATE_MEMORY_MAX ((size_t)512 << 20)

/* Read a template. The source is copied; env is borrowed and must outlive the template. LM_ERR_FORMAT (syntax),
 * LM_ERR_UNSUPPORTED (statements such as include), LM_ERR_LIMIT, LM_ERR_MEMORY; error has line and byte offset. */
lm_status lm_template_open(const lm_env *env, const char *source, size_t n, lm_template **out, lm_error *error);
void lm_template_close(lm_template *template);
/* Whether the source has this in it. */
bool lm_template_mentions(const lm_template *template, const char *text);

/* Date and time of day the template sees; nobody looks at a clock. */
typedef struct lm_template_clock {
    int32_t year, month, day, hour, minute, second; /* month and day from 1 */
} lm_template_clock;

typedef struct lm_template_inputs {
    const lm_json *variables; /* an object */
    const char *traced;       /* the variable whose items output is traced back to, if it is an array; NULL: none */
    lm_template_clock clock;
    uint64_t steps_max;
} lm_template_inputs;

/* A stretch of the output that has one origin. */
typedef struct lm_template_span {
    size_t begin, end;
    int32_t item;     /* of the traced array: its own text, or written while a loop stood at it; -1: of none */
    bool is_variable; /* from the variables; otherwise the template has written it */
} lm_template_span;

typedef struct lm_template_output {
    const char *text; /* [n] bytes and a NUL; of a render that raised, the whole message */
    size_t n;
    const lm_template_span *spans; /* [n_spans], one after the other over all of text; none when it raised */
    size_t n_spans;
} lm_template_output;

/* One render. What out gets, and all memory, is in the caller's arena; the variables may be there too. LM_ERR_RAISED
 * (raise_exception; out has the message), LM_ERR_FORMAT (what the template does fails), LM_ERR_ARGUMENT (variables are no
 * object), LM_ERR_LIMIT, LM_ERR_MEMORY; error has line and byte offset in the source. */
lm_status lm_template_render(const lm_template *template, lm_arena *arena, const lm_template_inputs *inputs,
                             lm_template_output *out, lm_error *error);

#endif
