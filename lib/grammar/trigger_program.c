/* SPDX-License-Identifier: MIT
 * Triggers to programs. Repetitions are unrolled, so the size of a program bounds the work per character. Lookaheads are
 * refused: what they say about text that is still to come could change after the matcher woke. */
#include <string.h>

#include "../base/format.h"
#include "../base/utf8.h"
#include "regex.h"
#include "trigger.h"

#define MAX_VISITS 65536u /* nodes visited for one program, repetitions of nothing included */

typedef struct builder {
    lm_trigger_set *set;
    const lm_regex *regex;
    uint32_t first, n_visits;
    const char *what;
} builder;

static lm_status put(builder *b, lm_trigger_op op, uint32_t a, uint32_t c, uint32_t *at) {
    lm_trigger_instruction one = {op, a, c};
    uint32_t n = (uint32_t)b->set->instructions.count - b->first;
    if (n >= LM_TRIGGER_MAX_INSTRUCTIONS) {
        b->what = "the pattern is too large";
        return LM_ERR_LIMIT;
    }
    if (!lm_array_push(&b->set->env, &b->set->instructions, one)) return LM_ERR_MEMORY;
    if (at) *at = n;
    return LM_OK;
}

static uint32_t here(const builder *b) { return (uint32_t)b->set->instructions.count - b->first; }
static lm_trigger_instruction *at(builder *b, uint32_t i) { return &b->set->instructions.data[b->first + i]; }

static lm_status put_class(builder *b, const lm_code_range *ranges, uint32_t n) {
    uint32_t first = (uint32_t)b->set->ranges.count;
    if (!lm_array_reserve(&b->set->env, &b->set->ranges, n)) return LM_ERR_MEMORY;
    if (n > 0) memcpy(b->set->ranges.data + first, ranges, n * sizeof *ranges);
    b->set->ranges.count += n;
    return put(b, LM_TRIGGER_OP_CLASS, first, n, NULL);
}

static lm_status emit(builder *b, uint32_t node);

/* Prefer the way through child, or around it when lazy. Gives the split, whose other way is still open. */
static lm_status emit_maybe(builder *b, uint32_t child, bool lazy, uint32_t *split) {
    lm_status status = put(b, LM_TRIGGER_OP_SPLIT, 0, 0, split);
    if (status != LM_OK) return status;
    if (lazy)
        at(b, *split)->b = here(b);
    else
        at(b, *split)->a = here(b);
    return emit(b, child);
}

static void close_split(builder *b, uint32_t split, bool lazy) {
    if (lazy)
        at(b, split)->a = here(b);
    else
        at(b, split)->b = here(b);
}

static lm_status emit_repeat(builder *b, const lm_regex_node *node) {
    lm_status status = LM_OK;
    uint32_t split;
    for (uint32_t i = 0; status == LM_OK && i < node->b; i++) status = emit(b, node->a);
    if (status != LM_OK) return status;
    if (node->c == LM_REGEX_UNBOUNDED) {
        status = emit_maybe(b, node->a, node->lazy, &split);
        if (status == LM_OK) status = put(b, LM_TRIGGER_OP_JUMP, split, 0, NULL);
        if (status == LM_OK) close_split(b, split, node->lazy);
        return status;
    }
    uint32_t first = here(b), n = node->c - node->b;
    for (uint32_t i = 0; status == LM_OK && i < n; i++) status = emit_maybe(b, node->a, node->lazy, &split);
    if (status != LM_OK) return status;
    /* The splits of this repetition are those with an open way; those of its children are closed. */
    for (uint32_t i = first; i < here(b); i++)
        if (at(b, i)->op == LM_TRIGGER_OP_SPLIT && (node->lazy ? at(b, i)->a : at(b, i)->b) == 0)
            close_split(b, i, node->lazy);
    return LM_OK;
}

static lm_status emit_choice(builder *b, const lm_regex_node *node) {
    lm_status status = LM_OK;
    uint32_t split, jump, last = UINT32_MAX; /* the jumps to the end are chained through a until it is known */
    if (node->b == 0) return put_class(b, NULL, 0);
    for (uint32_t i = 0; i < node->b; i++) {
        bool more = i + 1 < node->b;
        if (more) status = put(b, LM_TRIGGER_OP_SPLIT, here(b) + 1, 0, &split);
        if (status == LM_OK) status = emit(b, b->regex->kids.data[node->a + i]);
        if (status == LM_OK && more) status = put(b, LM_TRIGGER_OP_JUMP, last, 0, &jump);
        if (status != LM_OK) return status;
        if (!more) break;
        last = jump;
        at(b, split)->b = here(b);
    }
    while (last != UINT32_MAX) {
        uint32_t next = at(b, last)->a;
        at(b, last)->a = here(b);
        last = next;
    }
    return LM_OK;
}

/* Recursive: the parser bounds the nesting. */
static lm_status emit(builder *b, uint32_t index) {
    const lm_regex_node *node = &b->regex->nodes.data[index];
    lm_status status = LM_OK;
    if (++b->n_visits > MAX_VISITS) {
        b->what = "the pattern is too large";
        return LM_ERR_LIMIT;
    }
    switch ((lm_regex_kind)node->kind) {
    case LM_REGEX_EMPTY: return LM_OK;
    case LM_REGEX_CLASS: return put_class(b, b->regex->ranges.data + node->a, node->b);
    case LM_REGEX_SEQ:
        for (uint32_t i = 0; status == LM_OK && i < node->b; i++) status = emit(b, b->regex->kids.data[node->a + i]);
        return status;
    case LM_REGEX_ALT: return emit_choice(b, node);
    case LM_REGEX_REPEAT: return emit_repeat(b, node);
    case LM_REGEX_GROUP:
        if (node->b == 0) return emit(b, node->a);
        status = put(b, LM_TRIGGER_OP_SAVE, 2 * node->b - 1, 0, NULL);
        if (status == LM_OK) status = emit(b, node->a);
        return status == LM_OK ? put(b, LM_TRIGGER_OP_SAVE, 2 * node->b, 0, NULL) : status;
    case LM_REGEX_BEGIN: return put(b, LM_TRIGGER_OP_BEGIN, 0, 0, NULL);
    case LM_REGEX_END: return put(b, LM_TRIGGER_OP_END, 0, 0, NULL);
    case LM_REGEX_LOOK: break;
    }
    b->what = "lookahead";
    return LM_ERR_UNSUPPORTED;
}

static lm_status add_word(builder *b, const char *text, size_t n) {
    lm_status status = LM_OK;
    if (n == 0 || lm_utf8_valid_prefix(text, n) != n) {
        b->what = n ? "malformed UTF-8" : "empty text";
        return LM_ERR_FORMAT;
    }
    for (size_t i = 0; status == LM_OK && i < n;) {
        lm_code_range one;
        i += lm_utf8_decode(text + i, n - i, &one.lo);
        one.hi = one.lo;
        status = put_class(b, &one, 1);
    }
    return status;
}

static lm_status add_program(lm_trigger_set *set, const lm_grammar_trigger *trigger, size_t number, lm_error *error) {
    builder b = {.set = set, .first = (uint32_t)set->instructions.count, .what = ""};
    lm_trigger_program program = {b.first, 0, 1};
    size_t offset = 0;
    lm_status status;
    if (trigger->kind == LM_GRAMMAR_TRIGGER_KIND_WORD) {
        status = add_word(&b, trigger->text, trigger->text_size);
    } else {
        lm_regex regex;
        bool full = trigger->kind == LM_GRAMMAR_TRIGGER_KIND_PATTERN_FULL;
        status = lm_regex_parse(&set->env, trigger->text, trigger->text_size, false, &regex, &b.what, &offset);
        if (status == LM_OK && regex.n_groups > LM_TRIGGER_MAX_GROUPS) {
            b.what = "too many groups";
            status = LM_ERR_LIMIT;
        }
        b.regex = &regex;
        program.n_slots = 2 * regex.n_groups + 1;
        if (status == LM_OK && full) status = put(&b, LM_TRIGGER_OP_BEGIN, 0, 0, NULL);
        if (status == LM_OK) status = emit(&b, regex.root);
        if (status == LM_OK && full) status = put(&b, LM_TRIGGER_OP_END, 0, 0, NULL);
        lm_regex_free(&regex);
    }
    if (status == LM_OK) status = put(&b, LM_TRIGGER_OP_MATCH, 0, 0, NULL);
    program.count = here(&b);
    if (status == LM_OK && !lm_array_push(&set->env, &set->programs, program)) status = LM_ERR_MEMORY;
    if (status == LM_OK) return LM_OK;
    if (status == LM_ERR_MEMORY) return lm_error_memory(error);
    return lm_error_set_at(error, status, 0, offset, "grammar trigger %zu: %s", number, b.what);
}

lm_status lm_trigger_set_create(const lm_env *env, uint32_t n_tokens, const lm_grammar_trigger *triggers, size_t n,
                                lm_trigger_set **out, lm_error *error) {
    if (n > LM_TRIGGER_MAX)
        return lm_error_set(error, LM_ERR_LIMIT, "grammar triggers: %zu; at most %u", n, LM_TRIGGER_MAX);
    lm_trigger_set *set = lm_alloc_zeroed(env, sizeof *set);
    if (!set) return lm_error_memory(error);
    set->env = *env;
    atomic_init(&set->references, 1);
    lm_status status = LM_OK;
    for (size_t i = 0; status == LM_OK && i < n; i++) {
        const lm_grammar_trigger *trigger = &triggers[i];
        bool is_token = trigger->kind == LM_GRAMMAR_TRIGGER_KIND_TOKEN;
        if (trigger->kind < 0 || trigger->kind > LM_GRAMMAR_TRIGGER_KIND_PATTERN_FULL ||
            (is_token ? (uint32_t)trigger->token >= n_tokens : !trigger->text))
            status = lm_error_set(error, LM_ERR_ARGUMENT, "grammar trigger %zu: unknown kind or token, or no text", i);
        else if (!is_token)
            status = add_program(set, trigger, i, error);
        else if (!lm_array_push(&set->env, &set->tokens, trigger->token))
            status = lm_error_memory(error);
    }
    if (status == LM_OK)
        *out = set;
    else
        lm_trigger_set_release(set);
    return status;
}

void lm_trigger_set_release(lm_trigger_set *set) {
    if (!set || atomic_fetch_sub_explicit(&set->references, 1, memory_order_acq_rel) != 1) return;
    lm_env env = set->env;
    lm_array_free(&env, &set->tokens);
    lm_array_free(&env, &set->programs);
    lm_array_free(&env, &set->instructions);
    lm_array_free(&env, &set->ranges);
    lm_free(&env, set, sizeof *set);
}
