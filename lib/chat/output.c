/* SPDX-License-Identifier: MIT
 * The streaming core: the buffer of text not yet understood, and everything that was handed out. */
#include "output.h"

#include <string.h>

#include "../base/format.h"
#include "../base/json_write.h"
#include "../base/utf8.h"

static bool is_space(char c) { return c == ' ' || (c >= 9 && c <= 13); }

static void check(lm_chat_output *output, lm_status status) {
    if (output->status == LM_OK) output->status = status;
}

static void append(lm_chat_output *output, lm_str *str, const char *bytes, size_t n) {
    check(output, lm_str_append(str, bytes, n));
}

/* Whether the prompt ends inside of open reasoning. */
static bool prompt_opens_reasoning(const lm_output_family *family, const char *prompt, size_t n) {
    if (!family->reasoning_open) return false;
    size_t n_open = strlen(family->reasoning_open), n_close = strlen(family->reasoning_close);
    for (size_t end = n; end > 0; end--) {
        if (end >= n_close && memcmp(prompt + end - n_close, family->reasoning_close, n_close) == 0) return false;
        if (end >= n_open && memcmp(prompt + end - n_open, family->reasoning_open, n_open) == 0) return true;
    }
    return false;
}

lm_status lm_output_init(lm_chat_output *output, const lm_env *env, const lm_output_family *family, const char *prompt,
                         size_t prompt_n, const char *tools_json, size_t tools_n, lm_error *error) {
    memset(output, 0, sizeof *output);
    output->env = env;
    output->family = family;
    lm_str *const strings[] = {&output->buffer,       &output->content,   &output->reasoning, &output->held[0],
                               &output->held[1],      &output->json.text, &output->json.name, &output->json.id,
                               &output->literal.word, &output->key};
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) lm_str_init(strings[i], env, SIZE_MAX);
    lm_arena_init(&output->tools_arena, env, LM_ARENA_UNLIMITED);
    if (tools_json) {
        lm_status status =
            lm_json_parse(&output->tools_arena, tools_json, tools_n, LM_JSON_DEPTH_DEFAULT, &output->tools, error);
        if (status == LM_OK && output->tools->type == LM_JSON_NULL)
            output->tools = NULL;
        else if (status == LM_OK && output->tools->type != LM_JSON_ARRAY)
            status = lm_error_set(error, LM_ERR_FORMAT, "tools: not an array");
        if (status != LM_OK) {
            lm_output_free(output);
            return status;
        }
    }
    if (prompt_opens_reasoning(family, prompt, prompt_n)) {
        output->state = LM_STATE_REASONING;
        output->seen_tag = true;
    } else {
        output->state = (uint8_t)family->first;
    }
    return LM_OK;
}

void lm_output_free(lm_chat_output *output) {
    if (!output->env) return;
    lm_str *const strings[] = {&output->buffer,       &output->content,   &output->reasoning, &output->held[0],
                               &output->held[1],      &output->json.text, &output->json.name, &output->json.id,
                               &output->literal.word, &output->key};
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) lm_str_free(strings[i]);
    for (size_t i = 0; i < output->calls.count; i++) {
        lm_str_free(&output->calls.data[i].name);
        lm_str_free(&output->calls.data[i].id);
        lm_str_free(&output->calls.data[i].arguments);
    }
    lm_array_free(output->env, &output->calls);
    lm_array_free(output->env, &output->deltas);
    lm_arena_free(&output->tools_arena);
    output->env = NULL;
}

static void run(lm_chat_output *output) {
    while (output->status == LM_OK && (lm_output_left(output) || output->at_end) && output->family->step(output)) {}
    /* Give back what is done, once it is most of the buffer: each byte moves a bounded number of times. */
    if (output->pos > 4096 && output->pos > output->buffer.size / 2) {
        size_t left = lm_output_left(output);
        memmove(output->buffer.data, output->buffer.data + output->pos, left);
        output->buffer.size = left;
        output->buffer.data[left] = '\0';
        output->pos = 0;
        memset(output->runs, 0, sizeof output->runs);
    }
}

lm_status lm_output_feed(lm_chat_output *output, const char *text, size_t n) {
    if (output->status != LM_OK || output->at_end) return output->status != LM_OK ? output->status : LM_ERR_STATE;
    if (output->next_delta == output->deltas.count) output->deltas.count = output->next_delta = 0;
    append(output, &output->buffer, (const char *)output->utf8, output->n_utf8);
    output->n_utf8 = 0;
    append(output, &output->buffer, text, n);
    if (output->status != LM_OK) return output->status;
    /* Whole characters only, so that every piece handed out is text. */
    size_t unfinished = lm_utf8_unfinished(lm_output_rest(output), lm_output_left(output));
    output->buffer.size -= unfinished;
    if (output->buffer.data) {
        memcpy(output->utf8, output->buffer.data + output->buffer.size, unfinished);
        output->n_utf8 = unfinished;
        output->buffer.data[output->buffer.size] = '\0';
    }
    run(output);
    return output->status;
}

lm_status lm_output_finish(lm_chat_output *output, bool cut_off) {
    if (output->status != LM_OK || output->at_end) return output->status;
    append(output, &output->buffer, (const char *)output->utf8, output->n_utf8);
    output->n_utf8 = 0;
    output->at_end = true;
    output->cut_off = cut_off;
    run(output);
    if (output->call_open) lm_output_call_end(output, false);
    if (lm_output_left(output)) {
        lm_output_emit(output, LM_OUTPUT_CONTENT, lm_output_rest(output), lm_output_left(output));
        output->pos = output->buffer.size;
    }
    /* White space at the very end of plain text is text. */
    if (!output->seen_tag && output->held[0].size) {
        lm_str held = output->held[0];
        lm_str_init(&output->held[0], output->env, SIZE_MAX);
        lm_output_delta delta = {LM_OUTPUT_CONTENT, 0, output->content.size, held.size};
        append(output, &output->content, lm_str_text(&held), held.size);
        if (output->status == LM_OK && !lm_array_push(output->env, &output->deltas, delta))
            check(output, LM_ERR_MEMORY);
        lm_str_free(&held);
    }
    return output->status;
}

bool lm_output_go(lm_chat_output *output, lm_output_state state, size_t n) {
    output->state = (uint8_t)state;
    output->pos += n;
    output->scan = 0;
    return true;
}

lm_match lm_output_match(const lm_chat_output *output, size_t offset, const char *word) {
    const char *rest = lm_output_rest(output);
    size_t left = lm_output_left(output), n = strlen(word);
    left = offset < left ? left - offset : 0;
    if (memcmp(rest + offset, word, n < left ? n : left) != 0) return LM_MATCH_NO;
    return left >= n ? LM_MATCH_YES : output->at_end ? LM_MATCH_NO : LM_MATCH_MORE;
}

lm_match lm_output_match_any(const lm_chat_output *output, size_t offset, const char *words, size_t *which, size_t *n) {
    *which = 0;
    for (; words && *words; words += *n + 1, ++*which) {
        lm_match match = lm_output_match(output, offset, words);
        *n = strlen(words);
        if (match != LM_MATCH_NO) return match;
    }
    return LM_MATCH_NO;
}

size_t lm_output_spaces(lm_chat_output *output, size_t offset, bool *more) {
    const char *bytes = lm_str_text(&output->buffer);
    size_t from = output->pos + offset, to = from, n_runs = sizeof output->runs / sizeof *output->runs, run = n_runs;
    for (size_t i = 0; i < n_runs && run == n_runs; i++)
        if (output->runs[i].from == from && output->runs[i].to > from) run = i;
    if (run < n_runs)
        to = output->runs[run].to;
    else
        run = output->next_run++ % n_runs;
    while (to < output->buffer.size && is_space(bytes[to])) to++;
    output->runs[run].from = from;
    output->runs[run].to = to;
    *more = to >= output->buffer.size && !output->at_end;
    return to - from;
}

size_t lm_output_find(lm_chat_output *output, const char *words, size_t *which, size_t *n) {
    const char *rest = lm_output_rest(output);
    size_t left = lm_output_left(output);
    for (size_t at = output->scan; at < left; at++) {
        bool begins = false;
        for (const char *word = words; word && *word && !begins; word += strlen(word) + 1) begins = rest[at] == *word;
        if (!begins) continue;
        lm_match match = lm_output_match_any(output, at, words, which, n);
        if (match == LM_MATCH_NO) continue;
        output->scan = at;
        return match == LM_MATCH_YES ? at : SIZE_MAX;
    }
    output->scan = left;
    return SIZE_MAX;
}

bool lm_output_text_until(lm_chat_output *output, lm_output_kind kind, const char *words, size_t *which, size_t *n) {
    const char *drops = kind == LM_OUTPUT_CONTENT ? output->family->drops : NULL;
    for (;;) {
        output->scan = 0;
        size_t found = lm_output_find(output, words, which, n), sure = output->scan, drop, n_drop = 0;
        output->scan = 0;
        size_t dropped = drops ? lm_output_find(output, drops, &drop, &n_drop) : SIZE_MAX;
        bool drop_first = drops && output->scan < sure;
        if (drop_first) sure = output->scan;
        output->scan = 0;
        lm_output_emit(output, kind, lm_output_rest(output), sure);
        output->pos += sure;
        if (!drop_first) return found != SIZE_MAX;
        if (dropped == SIZE_MAX) return false;
        output->pos += n_drop;
        lm_output_tag(output);
    }
}

bool lm_output_give_up(lm_chat_output *output, size_t n) {
    lm_output_emit(output, LM_OUTPUT_CONTENT, lm_output_rest(output), n);
    return lm_output_go(output, LM_STATE_TEXT, n);
}

static void push_delta(lm_chat_output *output, lm_output_kind kind, size_t call, size_t from, size_t n) {
    if (output->deltas.count > output->next_delta) {
        lm_output_delta *last = &output->deltas.data[output->deltas.count - 1];
        bool grows =
            last->kind == kind && last->call == call && kind != LM_OUTPUT_CALL_BEGIN && kind != LM_OUTPUT_CALL_END;
        if (grows) {
            last->n += n;
            return;
        }
    }
    lm_output_delta delta = {(uint8_t)kind, call, from, n};
    if (!lm_array_push(output->env, &output->deltas, delta)) check(output, LM_ERR_MEMORY);
}

void lm_output_emit(lm_chat_output *output, lm_output_kind kind, const char *bytes, size_t n) {
    lm_str *channel = kind == LM_OUTPUT_CONTENT ? &output->content : &output->reasoning, *held = &output->held[kind];
    size_t solid = n;
    while (solid && is_space(bytes[solid - 1])) solid--;
    if (solid) {
        size_t skip = 0, from = channel->size;
        /* White space between a marker and the first text belongs to the marker. */
        if (from == 0 && output->seen_tag) {
            lm_str_clear(held);
            while (is_space(bytes[skip])) skip++;
        }
        append(output, channel, lm_str_text(held), held->size);
        append(output, channel, bytes + skip, solid - skip);
        lm_str_clear(held);
        push_delta(output, kind, 0, from, channel->size - from);
    }
    append(output, held, bytes + solid, n - solid);
}

void lm_output_tag(lm_chat_output *output) { output->seen_tag = true; }

bool lm_output_is_tool(const lm_chat_output *output, const char *name, size_t n) {
    if (n == 0) return false;
    if (!output->tools) return true;
    for (size_t i = 0; i < output->tools->count; i++) {
        const lm_json *tool = &output->tools->items[i], *function = lm_json_get(tool, "function");
        const lm_json *known = lm_json_get(function ? function : tool, "name");
        if (lm_json_is(known, LM_JSON_STRING) && known->count == n && memcmp(known->text, name, n) == 0) return true;
    }
    return false;
}

const lm_json *lm_output_schema(const lm_chat_output *output, const lm_str *tool_name, const char *key, size_t n) {
    for (size_t i = 0; output->tools && i < output->tools->count; i++) {
        const lm_json *tool = &output->tools->items[i], *function = lm_json_get(tool, "function");
        if (!function) function = tool;
        const lm_json *known = lm_json_get(function, "name");
        if (!lm_json_is(known, LM_JSON_STRING) || known->count != tool_name->size ||
            memcmp(known->text, lm_str_text(tool_name), known->count) != 0)
            continue;
        return lm_json_find(lm_json_get(lm_json_get(function, "parameters"), "properties"), key, n);
    }
    return NULL;
}

lm_output_call *lm_output_current(lm_chat_output *output) {
    return output->calls.count ? &output->calls.data[output->calls.count - 1] : NULL;
}

void lm_output_call_begin(lm_chat_output *output, const char *name, size_t name_n, const char *id, size_t id_n) {
    lm_output_call call;
    lm_output_tag(output);
    lm_str_init(&call.name, output->env, SIZE_MAX);
    lm_str_init(&call.id, output->env, SIZE_MAX);
    lm_str_init(&call.arguments, output->env, SIZE_MAX);
    call.complete = false;
    if (output->status != LM_OK) return;
    if (!lm_array_push(output->env, &output->calls, call)) {
        check(output, LM_ERR_MEMORY);
        return;
    }
    append(output, &lm_output_current(output)->name, name, name_n);
    append(output, &lm_output_current(output)->id, id, id_n);
    output->call_open = true;
    output->any_argument = false;
    push_delta(output, LM_OUTPUT_CALL_BEGIN, output->calls.count - 1, 0, 0);
}

void lm_output_call_arguments(lm_chat_output *output, const char *bytes, size_t n) {
    if (!output->call_open || n == 0) return;
    lm_str *arguments = &lm_output_current(output)->arguments;
    size_t from = arguments->size;
    append(output, arguments, bytes, n);
    if (output->status == LM_OK) push_delta(output, LM_OUTPUT_CALL_ARGUMENTS, output->calls.count - 1, from, n);
}

void lm_output_call_word(lm_chat_output *output, const char *word) {
    lm_output_call_arguments(output, word, strlen(word));
}

void lm_output_call_escaped(lm_chat_output *output, const char *bytes, size_t n) {
    lm_str quoted;
    lm_str_init(&quoted, output->env, SIZE_MAX);
    check(output, lm_json_print_string(&quoted, bytes, n, false));
    if (quoted.size >= 2) lm_output_call_arguments(output, quoted.data + 1, quoted.size - 2);
    lm_str_free(&quoted);
}

void lm_output_call_end(lm_chat_output *output, bool complete) {
    if (!output->call_open) return;
    output->call_open = false;
    lm_output_current(output)->complete = complete;
    push_delta(output, LM_OUTPUT_CALL_END, output->calls.count - 1, 0, 0);
}

bool lm_output_step_reasoning(lm_chat_output *output, const char *direct_ends, bool *stepped) {
    const lm_output_family *family = output->family;
    *stepped = true;
    if (output->state == LM_STATE_START) {
        bool more;
        size_t spaces = lm_output_spaces(output, 0, &more);
        lm_match match =
            more || !family->reasoning_open ? LM_MATCH_NO : lm_output_match(output, spaces, family->reasoning_open);
        if (more || match == LM_MATCH_MORE) return false;
        if (match == LM_MATCH_NO) return lm_output_go(output, LM_STATE_TEXT, 0);
        lm_output_tag(output);
        return lm_output_go(output, LM_STATE_REASONING, spaces + strlen(family->reasoning_open));
    }
    if (output->state == LM_STATE_REASONING) {
        char words[512] = "";
        size_t which, n = strlen(family->reasoning_close) + 1, size;
        memcpy(words, family->reasoning_close, n);
        for (; direct_ends && *direct_ends; direct_ends += size, n += size) {
            size = strlen(direct_ends) + 1;
            if (n + size >= sizeof words) break;
            memcpy(words + n, direct_ends, size);
        }
        if (!lm_output_text_until(output, LM_OUTPUT_REASONING, words, &which, &n)) return false;
        lm_output_tag(output);
        return lm_output_go(output, LM_STATE_TEXT, which == 0 ? n : 0);
    }
    *stepped = false;
    return false;
}
