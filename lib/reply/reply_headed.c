/* SPDX-License-Identifier: MIT
 * The engine for calls whose name stands in plain text before JSON arguments. Nothing of a call is consumed before its
 * header is whole and names a tool. */
#include <string.h>

#include "reply_json.h"

#define HEADER_MAX 512

static bool is_space(char c) { return c == ' ' || (c >= 9 && c <= 13); }

static bool begin_header(lm_reply *reply, size_t from) {
    reply->header_from = reply->scan = from;
    reply->state = LM_STATE_HEADER;
    return true;
}

/* A marker of starts, of n bytes, lies at pos. */
static bool begin(lm_reply *reply, const lm_headed_json *syntax, size_t which, size_t n) {
    if (which >= syntax->n_sections) return begin_header(reply, n);
    bool more;
    size_t next, n_next = 0, spaces = lm_reply_spaces(reply, n, &more);
    const char *calls = lm_word(syntax->starts, syntax->n_sections);
    lm_match match = more ? LM_MATCH_MORE : lm_reply_match_any(reply, n + spaces, calls, &next, &n_next);
    if (match == LM_MATCH_MORE) {
        reply->state = LM_STATE_SECTION;
        return false;
    }
    if (match == LM_MATCH_YES) return begin_header(reply, n + spaces + n_next);
    if (syntax->sections_call) return begin_header(reply, n);
    return lm_reply_give_up(reply, n);
}

/* NAME, NAME mark ID, or ID mark NAME. */
static void split_header(lm_reply *reply, const lm_headed_json *syntax, const char *header, size_t n, lm_str *name,
                         lm_str *id) {
    size_t n_mark = syntax->id_mark ? strlen(syntax->id_mark) : 0, at = n, from = n;
    for (size_t i = 0; n_mark && at == n && i + n_mark <= n; i++)
        if (memcmp(header + i, syntax->id_mark, n_mark) == 0) at = i;
    if (at < n) from = at + n_mark;
    bool swap = syntax->id_first && at < n;
    if (lm_str_append(swap ? id : name, header, at) != LM_OK ||
        lm_str_append(swap ? name : id, header + from, n - from) != LM_OK)
        reply->status = LM_ERR_MEMORY;
}

static bool open_call(lm_reply *reply, const lm_headed_json *syntax, const char *header, size_t n, size_t consumed) {
    lm_str *name = &reply->json.name, *id = &reply->json.id;
    lm_str_clear(name);
    lm_str_clear(id);
    while (n && is_space(*header)) header++, n--;
    while (n && is_space(header[n - 1])) n--;
    if (syntax->read_header)
        syntax->read_header(reply, header, n, name, id);
    else
        split_header(reply, syntax, header, n, name, id);
    if (!lm_reply_is_tool(reply, lm_str_text(name), name->size)) return lm_reply_give_up(reply, reply->header_from);
    lm_reply_call_begin(reply, lm_str_text(name), name->size, lm_str_text(id), id->size);
    memset(&reply->json_scan, 0, sizeof reply->json_scan);
    return lm_reply_go(reply, LM_STATE_ARGUMENTS, consumed);
}

static bool step_header(lm_reply *reply, const lm_headed_json *syntax) {
    static const char fences[] = LM_WORDS("```json\0```\0{");
    size_t which, n_word, n_fence, found = lm_reply_find(reply, syntax->separators, &which, &n_word);
    if (found == SIZE_MAX) {
        if (reply->at_end || reply->scan - reply->header_from > HEADER_MAX)
            return lm_reply_give_up(reply, reply->header_from);
        return false;
    }
    const char *header = lm_reply_rest(reply) + reply->header_from;
    size_t n = found - reply->header_from, behind = found + n_word;
    if (n > HEADER_MAX) return lm_reply_give_up(reply, reply->header_from);
    if (!syntax->type_word || n != strlen(syntax->type_word) || memcmp(header, syntax->type_word, n) != 0)
        return open_call(reply, syntax, header, n, behind);
    /* The word for the type; the name follows, up to the fence. */
    size_t before = reply->scan;
    reply->scan = behind;
    size_t fence = lm_reply_find(reply, fences, &which, &n_fence), searched = reply->scan;
    reply->scan = before;
    if (fence == SIZE_MAX)
        return reply->at_end || searched - behind > HEADER_MAX ? lm_reply_give_up(reply, reply->header_from) : false;
    return open_call(reply, syntax, lm_reply_rest(reply) + behind, fence - behind, fence + (which < 2 ? n_fence : 0));
}

static bool step_arguments(lm_reply *reply, const lm_headed_json *syntax) {
    bool more;
    size_t which, n;
    if (lm_reply_current(reply)->arguments.size == 0) { /* nothing where arguments should be: there are none */
        size_t spaces = lm_reply_spaces(reply, 0, &more);
        lm_match match = more ? LM_MATCH_MORE : lm_reply_match_any(reply, spaces, syntax->ends, &which, &n);
        if (match == LM_MATCH_MORE) return false;
        if (match == LM_MATCH_YES) {
            lm_reply_call_word(reply, "{}");
            lm_reply_call_end(reply, true);
            return lm_reply_go(reply, LM_STATE_AFTER, spaces);
        }
        reply->pos += spaces;
    }
    switch (lm_reply_json_arguments(reply)) {
    case LM_CALL_DONE: lm_reply_call_end(reply, true); return lm_reply_go(reply, LM_STATE_AFTER, 0);
    case LM_CALL_BROKEN: return lm_reply_go(reply, LM_STATE_BROKEN, 0);
    default: return false;
    }
}

static bool step_after(lm_reply *reply, const lm_headed_json *syntax) {
    bool more;
    size_t which, n, spaces = lm_reply_spaces(reply, 0, &more);
    if (more) return false;
    lm_match match = lm_reply_match_any(reply, spaces, syntax->ends, &which, &n);
    if (match == LM_MATCH_YES) return lm_reply_go(reply, LM_STATE_AFTER, spaces + n);
    lm_match start = lm_reply_match_any(reply, spaces, syntax->starts, &which, &n);
    lm_match fence = syntax->type_word ? lm_reply_match(reply, spaces, "```") : LM_MATCH_NO;
    if (fence == LM_MATCH_YES) return lm_reply_go(reply, LM_STATE_AFTER, spaces + 3);
    if (match == LM_MATCH_MORE || start == LM_MATCH_MORE || fence == LM_MATCH_MORE) return false;
    return lm_reply_go(reply, LM_STATE_TEXT, 0);
}

bool lm_headed_json_step(lm_reply *reply, const lm_headed_json *syntax) {
    bool stepped, advanced = lm_reply_step_reasoning(reply, syntax->starts, &stepped);
    size_t which, n;
    if (stepped) return advanced;
    switch ((lm_reply_state)reply->state) {
    case LM_STATE_SECTION:
    case LM_STATE_TEXT:
        if (!lm_reply_text_until(reply, LM_REPLY_CONTENT, syntax->starts, &which, &n)) return false;
        return begin(reply, syntax, which, n);
    case LM_STATE_HEADER: return step_header(reply, syntax);
    case LM_STATE_ARGUMENTS: return step_arguments(reply, syntax);
    case LM_STATE_BROKEN: return lm_reply_drain(reply, syntax->ends) && lm_reply_go(reply, LM_STATE_AFTER, 0);
    case LM_STATE_AFTER: return step_after(reply, syntax);
    default: return false;
    }
}

bool lm_headed_json_family_step(lm_reply *reply) { return lm_headed_json_step(reply, reply->family->syntax); }
