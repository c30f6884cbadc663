/* SPDX-License-Identifier: MIT
 * Limits, failures and scopes of a render, and the render itself. */
#include "template_interp.h"

#include <stdarg.h>
#include <string.h>

#include "../base/format.h"
#include "../base/json.h"
#include "../base/utf8.h"

static bool record(lm_interp *interp, lm_status status, const char *sentence) {
    if (interp->status != LM_OK) return false;
    int32_t line;
    uint64_t source_offset;
    lm_template_locate(interp->template, interp->offset, &line, &source_offset);
    interp->status = lm_error_set_at(interp->error, status, line, source_offset, "%s", sentence);
    return false;
}

bool lm_interp_fail(lm_interp *interp, const char *format, ...) {
    char sentence[400];
    va_list arguments;
    va_start(arguments, format);
    lm_format_list(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    return record(interp, LM_ERR_FORMAT, sentence);
}

bool lm_interp_limit(lm_interp *interp, const char *what) { return record(interp, LM_ERR_LIMIT, what); }
bool lm_interp_raise(lm_interp *interp, const lm_text *message) {
    /* An error record holds what fits of the message, whole characters only; the interpreter keeps all of it. */
    char sentence[sizeof((lm_error *)0)->message];
    size_t n = lm_size_min(message->n, sizeof sentence - 1);
    if (n < message->n) n -= lm_utf8_unfinished(message->bytes, n);
    lm_format(sentence, sizeof sentence, "%.*s", (int)n, message->bytes);
    interp->raised = message;
    return record(interp, LM_ERR_RAISED, sentence);
}

bool lm_interp_memory(lm_interp *interp) { return record(interp, LM_ERR_MEMORY, "out of memory"); }

bool lm_interp_charge(lm_interp *interp, uint64_t steps) {
    interp->steps += steps;
    return interp->steps <= interp->steps_max || lm_interp_limit(interp, "the template takes too many steps");
}

void *lm_interp_alloc(lm_interp *interp, size_t size) {
    void *memory = lm_arena_alloc(interp->arena, size);
    if (memory) return memory;
    /* The arena refuses a chunk that would pass its limit; chunks grow like the arena itself. */
    bool is_full = interp->arena->bytes > interp->arena->limit / 4 || size > interp->arena->limit / 4;
    if (is_full)
        lm_interp_limit(interp, "the template needs too much memory");
    else
        lm_interp_memory(interp);
    return NULL;
}

void *lm_interp_alloc_array(lm_interp *interp, size_t count, size_t size) {
    size_t bytes;
    void *memory = lm_size_mul(count, size, &bytes) ? lm_interp_alloc(interp, bytes) : (lm_interp_memory(interp), NULL);
    if (!memory || !lm_interp_charge(interp, bytes / 256)) return NULL;
    memset(memory, 0, bytes);
    return memory;
}

bool lm_interp_enter(lm_interp *interp) {
    return interp->depth++ < LM_TEMPLATE_DEPTH_MAX ||
           lm_interp_limit(interp, "the template nests or recurses too deeply");
}

lm_scope *lm_scope_new(lm_interp *interp, lm_scope *parent) {
    lm_scope *scope = lm_interp_alloc_array(interp, 1, sizeof *scope);
    if (scope) scope->parent = parent;
    return scope;
}

bool lm_scope_set(lm_interp *interp, lm_scope *scope, uint32_t symbol, const lm_variant *value) {
    if (!scope) {
        interp->globals[symbol] = *value;
        return true;
    }
    if (!lm_interp_charge(interp, scope->count / 16)) return false;
    for (size_t i = 0; i < scope->count; i++) {
        if (scope->bindings[i].symbol != symbol) continue;
        scope->bindings[i].value = *value;
        return true;
    }
    if (scope->count == scope->capacity) {
        size_t capacity = scope->capacity ? scope->capacity * 2 : 4;
        lm_binding *bindings = lm_interp_alloc_array(interp, capacity, sizeof *bindings);
        if (!bindings) return false;
        if (scope->count) memcpy(bindings, scope->bindings, scope->count * sizeof *bindings);
        scope->bindings = bindings;
        scope->capacity = capacity;
    }
    scope->bindings[scope->count++] = (lm_binding){symbol, *value};
    return true;
}

const lm_variant *lm_scope_get(lm_interp *interp, const lm_scope *scope, uint32_t symbol) {
    for (; scope; scope = scope->parent) {
        interp->steps += scope->count / 16;
        for (size_t i = 0; i < scope->count; i++)
            if (scope->bindings[i].symbol == symbol) return &scope->bindings[i].value;
    }
    const lm_variant *global = &interp->globals[symbol];
    return global->kind == LM_VARIANT_ABSENT ? NULL : global;
}

/* An array whose items are numbered, so that output can be traced back to them. */
static bool make_traced(lm_interp *interp, const lm_json *array, lm_variant *out) {
    lm_sequence *list = lm_sequence_new(interp, array->count);
    if (!list) return false;
    for (size_t i = 0; i < array->count; i++) {
        lm_variant *item = &list->items[list->count++];
        if (!lm_variant_from_json(interp, &array->items[i], LM_ORIGIN_ITEM(i) | LM_ORIGIN_CALLER, item)) return false;
        if (item->kind == LM_VARIANT_DICT) item->as.dict->item = (int32_t)i;
    }
    *out = lm_variant_sequence(LM_VARIANT_LIST, list);
    return true;
}

/* The variables, as far as the template names them. */
static bool install_variables(lm_interp *interp, const lm_template_inputs *inputs) {
    size_t traced_n = inputs->traced ? strlen(inputs->traced) : 0;
    for (size_t i = 0; i < inputs->variables->count; i++) {
        const lm_json_member *member = &inputs->variables->members[i];
        uint32_t symbol = lm_template_symbol(interp->template, member->name, member->name_size);
        if (symbol == UINT32_MAX) continue;
        bool is_traced = inputs->traced && member->name_size == traced_n && member->value.type == LM_JSON_ARRAY &&
                         memcmp(member->name, inputs->traced, traced_n) == 0;
        lm_variant value;
        if (is_traced ? !make_traced(interp, &member->value, &value)
                      : !lm_variant_from_json(interp, &member->value, LM_ORIGIN_CALLER, &value))
            return false;
        interp->globals[symbol] = value;
    }
    return true;
}

/* The output, which ends with the runs of the rendered text as spans. */
static bool finish(lm_interp *interp, lm_template_output *out) {
    const lm_text *text = lm_builder_finish(interp->out);
    if (!text) return false;
    size_t count = 0, end;
    for (size_t pos = 0; pos < text->n; pos = end, count++) lm_text_origin(text, pos, &end);
    lm_template_span *spans = lm_arena_alloc_array(interp->arena, count + 1, sizeof *spans);
    char *copy = lm_arena_copy(interp->arena, text->bytes, text->n);
    if (!spans || !copy) return lm_interp_memory(interp);
    for (size_t pos = 0, i = 0; pos < text->n; pos = end, i++) {
        lm_origin origin = lm_text_origin(text, pos, &end);
        spans[i] = (lm_template_span){pos, end, (int32_t)(origin >> 1) - 1, (origin & LM_ORIGIN_CALLER) != 0};
    }
    *out = (lm_template_output){copy, text->n, spans, count};
    return true;
}

static bool run(lm_interp *interp, const lm_template_inputs *inputs, lm_template_output *out) {
    const lm_template *template = interp->template;
    interp->loop_symbol = lm_template_symbol(template, "loop", 4);
    interp->caller_symbol = lm_template_symbol(template, "caller", 6);
    interp->varargs_symbol = lm_template_symbol(template, "varargs", 7);
    interp->kwargs_symbol = lm_template_symbol(template, "kwargs", 6);
    interp->globals = lm_interp_alloc_array(interp, template->n_symbols + (size_t)1, sizeof *interp->globals);
    interp->out = interp->globals ? lm_builder_new(interp) : NULL;
    return interp->out && lm_globals_install(interp) && install_variables(interp, inputs) &&
           lm_exec_body(interp, template->root, NULL) != LM_FLOW_FAILED && finish(interp, out);
}

lm_status lm_template_render(const lm_template *template, lm_arena *arena, const lm_template_inputs *inputs,
                             lm_template_output *out, lm_error *error) {
    lm_interp interp = {.template = template,
                        .arena = arena,
                        .clock = inputs->clock,
                        .steps_max = inputs->steps_max,
                        .item = LM_ORIGIN_TEMPLATE,
                        .error = error,
                        .status = LM_OK};
    if (!lm_json_is(inputs->variables, LM_JSON_OBJECT))
        return lm_error_set(error, LM_ERR_FORMAT, "the variables of a template are a JSON object");
    if (run(&interp, inputs, out)) return LM_OK;
    if (interp.status == LM_ERR_RAISED) {
        char *message = lm_arena_copy(arena, interp.raised->bytes, interp.raised->n);
        if (!message) return lm_error_memory(error);
        *out = (lm_template_output){.text = message, .n = interp.raised->n};
    }
    return interp.status;
}
