/* SPDX-License-Identifier: MIT
 * Gemma 4: <|tool_call>call:NAME{key:value}<tool_call|>, reasoning in <|channel>thought ... <channel|>. Stray channel marks
 * are dropped. */
#include <string.h>

#include "reply_family.h"
#include "reply_literal.h"

#define NAME_MAX_BYTES 256

enum { OPEN_BYTES = sizeof "<|tool_call>" - 1 };
static const char closes[] = LM_WORDS("<tool_call|>");

static bool step_text(lm_reply *reply) {
    static const char marks[] =
        LM_WORDS("<|tool_call>\0<|channel>thought\n\0<|channel>thought<channel|>\0<|channel>\0<channel|>\0<turn|>\0"
                 "<|tool_response>");
    size_t which, n;
    if (!lm_reply_text_until(reply, LM_REPLY_CONTENT, marks, &which, &n)) return false;
    if (which == 0) {
        reply->state = LM_STATE_HEADER;
        reply->scan = n;
        return true;
    }
    lm_reply_tag(reply);
    return lm_reply_go(reply, which == 1 ? LM_STATE_REASONING : LM_STATE_TEXT, n);
}

static bool step_header(lm_reply *reply) {
    size_t n = OPEN_BYTES, which, n_brace;
    bool more;
    size_t spaces = lm_reply_spaces(reply, n, &more);
    if (more) return false;
    lm_match match = lm_reply_match(reply, n + spaces, "call:");
    if (match == LM_MATCH_MORE) return false;
    if (match == LM_MATCH_NO) return lm_reply_give_up(reply, n);
    size_t from = n + spaces + 5, found = lm_reply_find(reply, LM_WORDS("{"), &which, &n_brace);
    if (found == SIZE_MAX)
        return reply->at_end || reply->scan > from + NAME_MAX_BYTES ? lm_reply_give_up(reply, n) : false;
    const char *name = lm_reply_rest(reply) + from;
    size_t name_n = found - from;
    while (name_n && name[name_n - 1] == ' ') name_n--;
    while (name_n && *name == ' ') name++, name_n--;
    if (!lm_reply_is_tool(reply, name, name_n)) return lm_reply_give_up(reply, n);
    lm_reply_call_begin(reply, name, name_n, "", 0);
    lm_reply_literal_begin(reply);
    return lm_reply_go(reply, LM_STATE_ARGUMENTS, found);
}

static bool step(lm_reply *reply) {
    bool more;
    size_t which, n, spaces;
    lm_match match;
    switch ((lm_reply_state)reply->state) {
    case LM_STATE_REASONING:
        if (!lm_reply_text_until(reply, LM_REPLY_REASONING, LM_WORDS("<channel|>\0<|tool_call>"), &which, &n))
            return false;
        lm_reply_tag(reply);
        return lm_reply_go(reply, LM_STATE_TEXT, which == 0 ? n : 0);
    case LM_STATE_HEADER: return step_header(reply);
    case LM_STATE_ARGUMENTS: return lm_reply_step_literal(reply, LM_LITERAL_GEMMA);
    case LM_STATE_BROKEN: return lm_reply_drain(reply, closes) && lm_reply_go(reply, LM_STATE_AFTER, 0);
    case LM_STATE_AFTER:
        spaces = lm_reply_spaces(reply, 0, &more);
        match = more ? LM_MATCH_MORE : lm_reply_match(reply, spaces, closes);
        if (match == LM_MATCH_MORE) return false;
        return lm_reply_go(reply, LM_STATE_TEXT, match == LM_MATCH_YES ? spaces + strlen(closes) : 0);
    default: return step_text(reply);
    }
}

const lm_reply_family lm_family_gemma4 = {
    .name = "gemma4", .step = step, .reasoning_open = "<|channel>thought\n", .reasoning_close = "<channel|>"};
