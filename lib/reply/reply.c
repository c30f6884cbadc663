/* SPDX-License-Identifier: MIT
 * The streaming core: the buffer of text not yet understood, and everything that was handed out. */
#include "reply.h"

#include <string.h>

#include "../base/format.h"
#include "../base/json_write.h"
#include "../base/utf8.h"

static bool is_space(char c) { return c == ' ' || (c >= 9 && c <= 13); }

static void check(lm_reply *reply, lm_status status) {
    if (reply->status == LM_OK) reply->status = status;
}

static void append(lm_reply *reply, lm_str *str, const char *bytes, size_t n) {
    check(reply, lm_str_append(str, bytes, n));
}

/* Whether the prompt ends inside of open reasoning. */
static bool prompt_opens_reasoning(const lm_reply_family *family, const char *prompt, size_t n) {
    if (!family->reasoning_open) return false;
    size_t n_open = strlen(family->reasoning_open), n_close = strlen(family->reasoning_close);
    for (size_t end = n; end > 0; end--) {
        if (end >= n_close && memcmp(prompt + end - n_close, family->reasoning_close, n_close) == 0) return false;
        if (end >= n_open && memcmp(prompt + end - n_open, family->reasoning_open, n_open) == 0) return true;
    }
    return false;
}

/* All that a reply has of them. */
#define N_STRINGS 10
static void list_strings(lm_reply *reply, lm_str *out[N_STRINGS]) {
    lm_str *const strings[N_STRINGS] = {&reply->buffer,       &reply->content,   &reply->reasoning, &reply->held[0],
                                        &reply->held[1],      &reply->json.text, &reply->json.name, &reply->json.id,
                                        &reply->literal.word, &reply->key};
    memcpy(out, strings, sizeof strings);
}

lm_status lm_reply_init(lm_reply *reply, const lm_env *env, const lm_reply_family *family, const char *prompt,
                        size_t prompt_n, const char *tools_json, size_t tools_n, lm_error *error) {
    memset(reply, 0, sizeof *reply);
    reply->env = env;
    reply->family = family;
    lm_str *strings[N_STRINGS];
    list_strings(reply, strings);
    for (size_t i = 0; i < N_STRINGS; i++) lm_str_init(strings[i], env, SIZE_MAX);
    lm_arena_init(&reply->tools_arena, env, LM_ARENA_UNLIMITED);
    if (tools_json) {
        lm_status status =
            lm_json_parse(&reply->tools_arena, tools_json, tools_n, LM_JSON_DEPTH_DEFAULT, &reply->tools, error);
        if (status == LM_OK && reply->tools->type == LM_JSON_NULL)
            reply->tools = NULL;
        else if (status == LM_OK && reply->tools->type != LM_JSON_ARRAY)
            status = lm_error_set(error, LM_ERR_FORMAT, "tools: not an array");
        if (status != LM_OK) {
            lm_reply_free(reply);
            return status;
        }
    }
    if (prompt_opens_reasoning(family, prompt, prompt_n)) {
        reply->state = LM_STATE_REASONING;
        reply->seen_tag = true;
    } else {
        reply->state = (uint8_t)family->first;
    }
    return LM_OK;
}

void lm_reply_free(lm_reply *reply) {
    if (!reply->env) return;
    lm_str *strings[N_STRINGS];
    list_strings(reply, strings);
    for (size_t i = 0; i < N_STRINGS; i++) lm_str_free(strings[i]);
    for (size_t i = 0; i < reply->calls.count; i++) {
        lm_str_free(&reply->calls.data[i].name);
        lm_str_free(&reply->calls.data[i].id);
        lm_str_free(&reply->calls.data[i].arguments);
    }
    lm_array_free(reply->env, &reply->calls);
    lm_array_free(reply->env, &reply->deltas);
    lm_arena_free(&reply->tools_arena);
    reply->env = NULL;
}

static void run(lm_reply *reply) {
    while (reply->status == LM_OK && (lm_reply_left(reply) || reply->at_end) && reply->family->step(reply)) {}
    /* Give back what is done, once it is most of the buffer: each byte moves a bounded number of times. */
    if (reply->pos > 4096 && reply->pos > reply->buffer.size / 2) {
        size_t left = lm_reply_left(reply);
        memmove(reply->buffer.data, reply->buffer.data + reply->pos, left);
        reply->buffer.size = left;
        reply->buffer.data[left] = '\0';
        reply->pos = 0;
        memset(reply->runs, 0, sizeof reply->runs);
    }
}

lm_status lm_reply_feed(lm_reply *reply, const char *text, size_t n) {
    if (reply->status != LM_OK || reply->at_end) return reply->status != LM_OK ? reply->status : LM_ERR_STATE;
    if (reply->next_delta == reply->deltas.count) reply->deltas.count = reply->next_delta = 0;
    append(reply, &reply->buffer, (const char *)reply->utf8, reply->n_utf8);
    reply->n_utf8 = 0;
    append(reply, &reply->buffer, text, n);
    if (reply->status != LM_OK) return reply->status;
    /* Whole characters only, so that every piece handed out is text. */
    size_t unfinished = lm_utf8_unfinished(lm_reply_rest(reply), lm_reply_left(reply));
    reply->buffer.size -= unfinished;
    if (reply->buffer.data) {
        memcpy(reply->utf8, reply->buffer.data + reply->buffer.size, unfinished);
        reply->n_utf8 = unfinished;
        reply->buffer.data[reply->buffer.size] = '\0';
    }
    run(reply);
    return reply->status;
}

lm_status lm_reply_finish(lm_reply *reply, bool cut_off) {
    if (reply->status != LM_OK || reply->at_end) return reply->status;
    append(reply, &reply->buffer, (const char *)reply->utf8, reply->n_utf8);
    reply->n_utf8 = 0;
    reply->at_end = true;
    reply->cut_off = cut_off;
    run(reply);
    if (reply->call_open) lm_reply_call_end(reply, false);
    if (lm_reply_left(reply)) {
        lm_reply_emit(reply, LM_REPLY_CONTENT, lm_reply_rest(reply), lm_reply_left(reply));
        reply->pos = reply->buffer.size;
    }
    /* White space at the very end of plain text is text. */
    if (!reply->seen_tag && reply->held[0].size) {
        lm_str held = reply->held[0];
        lm_str_init(&reply->held[0], reply->env, SIZE_MAX);
        lm_reply_delta delta = {LM_REPLY_CONTENT, 0, reply->content.size, held.size};
        append(reply, &reply->content, lm_str_text(&held), held.size);
        if (reply->status == LM_OK && !lm_array_push(reply->env, &reply->deltas, delta)) check(reply, LM_ERR_MEMORY);
        lm_str_free(&held);
    }
    return reply->status;
}

bool lm_reply_go(lm_reply *reply, lm_reply_state state, size_t n) {
    reply->state = (uint8_t)state;
    reply->pos += n;
    reply->scan = 0;
    return true;
}

lm_match lm_reply_match(const lm_reply *reply, size_t offset, const char *word) {
    const char *rest = lm_reply_rest(reply);
    size_t left = lm_reply_left(reply), n = strlen(word);
    left = offset < left ? left - offset : 0;
    if (memcmp(rest + offset, word, n < left ? n : left) != 0) return LM_MATCH_NO;
    return left >= n ? LM_MATCH_YES : reply->at_end ? LM_MATCH_NO : LM_MATCH_MORE;
}

lm_match lm_reply_match_any(const lm_reply *reply, size_t offset, const char *words, size_t *which, size_t *n) {
    *which = 0;
    for (; words && *words; words += *n + 1, ++*which) {
        lm_match match = lm_reply_match(reply, offset, words);
        *n = strlen(words);
        if (match != LM_MATCH_NO) return match;
    }
    return LM_MATCH_NO;
}

size_t lm_reply_spaces(lm_reply *reply, size_t offset, bool *more) {
    const char *bytes = lm_str_text(&reply->buffer);
    size_t from = reply->pos + offset, to = from, n_runs = sizeof reply->runs / sizeof *reply->runs, run = n_runs;
    for (size_t i = 0; i < n_runs && run == n_runs; i++)
        if (reply->runs[i].from == from && reply->runs[i].to > from) run = i;
    if (run < n_runs)
        to = reply->runs[run].to;
    else
        run = reply->next_run++ % n_runs;
    while (to < reply->buffer.size && is_space(bytes[to])) to++;
    reply->runs[run].from = from;
    reply->runs[run].to = to;
    *more = to >= reply->buffer.size && !reply->at_end;
    return to - from;
}

size_t lm_reply_find(lm_reply *reply, const char *words, size_t *which, size_t *n) {
    const char *rest = lm_reply_rest(reply);
    size_t left = lm_reply_left(reply);
    for (size_t at = reply->scan; at < left; at++) {
        bool begins = false;
        for (const char *word = words; word && *word && !begins; word += strlen(word) + 1) begins = rest[at] == *word;
        if (!begins) continue;
        lm_match match = lm_reply_match_any(reply, at, words, which, n);
        if (match == LM_MATCH_NO) continue;
        reply->scan = at;
        return match == LM_MATCH_YES ? at : SIZE_MAX;
    }
    reply->scan = left;
    return SIZE_MAX;
}

bool lm_reply_text_until(lm_reply *reply, lm_reply_kind kind, const char *words, size_t *which, size_t *n) {
    const char *drops = kind == LM_REPLY_CONTENT ? reply->family->drops : NULL;
    for (;;) {
        reply->scan = 0;
        size_t found = lm_reply_find(reply, words, which, n), sure = reply->scan, drop, n_drop = 0;
        reply->scan = 0;
        size_t dropped = drops ? lm_reply_find(reply, drops, &drop, &n_drop) : SIZE_MAX;
        bool drop_first = drops && reply->scan < sure;
        if (drop_first) sure = reply->scan;
        reply->scan = 0;
        lm_reply_emit(reply, kind, lm_reply_rest(reply), sure);
        reply->pos += sure;
        if (!drop_first) return found != SIZE_MAX;
        if (dropped == SIZE_MAX) return false;
        reply->pos += n_drop;
        lm_reply_tag(reply);
    }
}

bool lm_reply_give_up(lm_reply *reply, size_t n) {
    lm_reply_emit(reply, reply->unclosed ? LM_REPLY_REASONING : LM_REPLY_CONTENT, lm_reply_rest(reply), n);
    return lm_reply_go(reply, reply->unclosed ? LM_STATE_REASONING : LM_STATE_TEXT, n);
}

static void push_delta(lm_reply *reply, lm_reply_kind kind, size_t call, size_t from, size_t n) {
    if (reply->deltas.count > reply->next_delta) {
        lm_reply_delta *last = &reply->deltas.data[reply->deltas.count - 1];
        bool grows =
            last->kind == kind && last->call == call && kind != LM_REPLY_CALL_BEGIN && kind != LM_REPLY_CALL_END;
        if (grows) {
            last->n += n;
            return;
        }
    }
    lm_reply_delta delta = {(uint8_t)kind, call, from, n};
    if (!lm_array_push(reply->env, &reply->deltas, delta)) check(reply, LM_ERR_MEMORY);
}

void lm_reply_emit(lm_reply *reply, lm_reply_kind kind, const char *bytes, size_t n) {
    lm_str *channel = kind == LM_REPLY_CONTENT ? &reply->content : &reply->reasoning, *held = &reply->held[kind];
    size_t solid = n;
    while (solid && is_space(bytes[solid - 1])) solid--;
    if (solid) {
        size_t skip = 0, from = channel->size;
        /* White space between a marker and the first text belongs to the marker. */
        if (from == 0 && reply->seen_tag) {
            lm_str_clear(held);
            while (is_space(bytes[skip])) skip++;
        }
        append(reply, channel, lm_str_text(held), held->size);
        append(reply, channel, bytes + skip, solid - skip);
        lm_str_clear(held);
        push_delta(reply, kind, 0, from, channel->size - from);
    }
    append(reply, held, bytes + solid, n - solid);
}

void lm_reply_tag(lm_reply *reply) { reply->seen_tag = true; }

bool lm_reply_is_tool(const lm_reply *reply, const char *name, size_t n) {
    if (n == 0) return false;
    if (!reply->tools) return true;
    for (size_t i = 0; i < reply->tools->count; i++) {
        const lm_json *tool = &reply->tools->items[i], *function = lm_json_get(tool, "function");
        const lm_json *known = lm_json_get(function ? function : tool, "name");
        if (lm_json_is(known, LM_JSON_STRING) && known->count == n && memcmp(known->text, name, n) == 0) return true;
    }
    return false;
}

const lm_json *lm_reply_schema(const lm_reply *reply, const lm_str *tool_name, const char *key, size_t n) {
    for (size_t i = 0; reply->tools && i < reply->tools->count; i++) {
        const lm_json *tool = &reply->tools->items[i], *function = lm_json_get(tool, "function");
        if (!function) function = tool;
        const lm_json *known = lm_json_get(function, "name");
        if (!lm_json_is(known, LM_JSON_STRING) || known->count != tool_name->size ||
            memcmp(known->text, lm_str_text(tool_name), known->count) != 0)
            continue;
        return lm_json_find(lm_json_get(lm_json_get(function, "parameters"), "properties"), key, n);
    }
    return NULL;
}

lm_reply_call *lm_reply_current(lm_reply *reply) {
    return reply->calls.count ? &reply->calls.data[reply->calls.count - 1] : NULL;
}

void lm_reply_call_begin(lm_reply *reply, const char *name, size_t name_n, const char *id, size_t id_n) {
    lm_reply_call call;
    lm_reply_tag(reply);
    lm_str_init(&call.name, reply->env, SIZE_MAX);
    lm_str_init(&call.id, reply->env, SIZE_MAX);
    lm_str_init(&call.arguments, reply->env, SIZE_MAX);
    call.complete = false;
    if (reply->status != LM_OK) return;
    if (!lm_array_push(reply->env, &reply->calls, call)) {
        check(reply, LM_ERR_MEMORY);
        return;
    }
    append(reply, &lm_reply_current(reply)->name, name, name_n);
    append(reply, &lm_reply_current(reply)->id, id, id_n);
    reply->call_open = true;
    reply->unclosed = false;
    reply->any_argument = false;
    push_delta(reply, LM_REPLY_CALL_BEGIN, reply->calls.count - 1, 0, 0);
}

void lm_reply_call_arguments(lm_reply *reply, const char *bytes, size_t n) {
    if (!reply->call_open || n == 0) return;
    lm_str *arguments = &lm_reply_current(reply)->arguments;
    size_t from = arguments->size;
    append(reply, arguments, bytes, n);
    if (reply->status == LM_OK) push_delta(reply, LM_REPLY_CALL_ARGUMENTS, reply->calls.count - 1, from, n);
}

void lm_reply_call_word(lm_reply *reply, const char *word) { lm_reply_call_arguments(reply, word, strlen(word)); }

void lm_reply_call_escaped(lm_reply *reply, const char *bytes, size_t n) {
    lm_str quoted;
    lm_str_init(&quoted, reply->env, SIZE_MAX);
    check(reply, lm_json_print_string(&quoted, bytes, n, false));
    if (quoted.size >= 2) lm_reply_call_arguments(reply, quoted.data + 1, quoted.size - 2);
    lm_str_free(&quoted);
}

void lm_reply_call_end(lm_reply *reply, bool complete) {
    if (!reply->call_open) return;
    reply->call_open = false;
    lm_reply_current(reply)->complete = complete;
    push_delta(reply, LM_REPLY_CALL_END, reply->calls.count - 1, 0, 0);
}

bool lm_reply_step_reasoning(lm_reply *reply, const char *direct_ends, bool *stepped) {
    const lm_reply_family *family = reply->family;
    size_t which, n, size, found;
    *stepped = true;
    if (reply->state == LM_STATE_START) {
        bool more;
        size_t spaces = lm_reply_spaces(reply, 0, &more);
        lm_match open = more || !family->reasoning_open ? LM_MATCH_NO
                                                        : lm_reply_match(reply, spaces, family->reasoning_open),
                 close = more || !family->reasoning_open ? LM_MATCH_NO
                                                         : lm_reply_match(reply, spaces, family->reasoning_close);
        if (more || open == LM_MATCH_MORE || close == LM_MATCH_MORE) return false;
        if (open == LM_MATCH_NO && close == LM_MATCH_NO) return lm_reply_go(reply, LM_STATE_TEXT, 0);
        lm_reply_tag(reply);
        if (open == LM_MATCH_NO) return lm_reply_go(reply, LM_STATE_TEXT, spaces + strlen(family->reasoning_close));
        return lm_reply_go(reply, LM_STATE_REASONING, spaces + strlen(family->reasoning_open));
    }
    if (reply->state != LM_STATE_REASONING && reply->state != LM_STATE_DOUBT) {
        *stepped = false;
        return false;
    }
    char words[512] = "";
    n = strlen(family->reasoning_close) + 1;
    memcpy(words, family->reasoning_close, n);
    if (reply->state == LM_STATE_DOUBT) {
        found = lm_reply_find(reply, words, &which, &n);
        if (found == SIZE_MAX && !reply->at_end) return false;
        reply->unclosed = found == SIZE_MAX;
        if (reply->unclosed) return lm_reply_go(reply, LM_STATE_TEXT, 0);
        lm_reply_emit(reply, LM_REPLY_REASONING, lm_reply_rest(reply), found);
        return lm_reply_go(reply, LM_STATE_TEXT, found + n);
    }
    for (; direct_ends && *direct_ends; direct_ends += size, n += size) {
        size = strlen(direct_ends) + 1;
        if (n + size >= sizeof words) break;
        memcpy(words + n, direct_ends, size);
    }
    if (!lm_reply_text_until(reply, LM_REPLY_REASONING, words, &which, &n)) return false;
    lm_reply_tag(reply);
    if (which == 0) return lm_reply_go(reply, LM_STATE_TEXT, n);
    return lm_reply_go(reply, reply->unclosed ? LM_STATE_TEXT : LM_STATE_DOUBT, 0);
}
