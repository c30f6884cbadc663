/* SPDX-License-Identifier: MIT
 * LFM2: calls in Python's syntax, <|tool_call_start|>[name(arg="v", n=1)]<|tool_call_end|>. */
#include <string.h>

#include "reply_family.h"
#include "reply_literal.h"

#define NAME_MAX_BYTES 256

static const char opens[] = LM_WORDS("<|tool_call_start|>");
static const char closes[] = LM_WORDS("<|tool_call_end|>");

/* From the marker, or a comma, to the parenthesis. */
static bool step_header(lm_reply *reply) {
    size_t which, n, from = reply->header_from, found;
    bool more;
    size_t spaces = lm_reply_spaces(reply, from, &more);
    if (more) return false;
    if (lm_reply_match(reply, from + spaces, "[") == LM_MATCH_YES) spaces++;
    if (reply->scan < from + spaces) reply->scan = from + spaces;
    found = lm_reply_find(reply, LM_WORDS("("), &which, &n);
    if (found == SIZE_MAX)
        return reply->at_end || reply->scan > from + NAME_MAX_BYTES ? lm_reply_give_up(reply, from) : false;
    const char *name = lm_reply_rest(reply) + from + spaces;
    n = found - from - spaces;
    while (n && (name[n - 1] == ' ' || name[n - 1] == '\n')) n--;
    while (n && (*name == ' ' || *name == '\n')) name++, n--;
    if (!lm_reply_is_tool(reply, name, n)) return lm_reply_give_up(reply, from);
    lm_reply_call_begin(reply, name, n, "", 0);
    lm_reply_literal_begin(reply);
    return lm_reply_go(reply, LM_STATE_ARGUMENTS, found + 1);
}

static bool step_after(lm_reply *reply) {
    bool more;
    size_t spaces = lm_reply_spaces(reply, 0, &more);
    if (more) return false;
    if (lm_reply_match(reply, spaces, "]") == LM_MATCH_YES) return lm_reply_go(reply, LM_STATE_AFTER, spaces + 1);
    if (lm_reply_match(reply, spaces, ",") == LM_MATCH_YES) {
        reply->header_from = 0;
        return lm_reply_go(reply, LM_STATE_HEADER, spaces + 1);
    }
    lm_match match = lm_reply_match(reply, spaces, closes);
    if (match == LM_MATCH_MORE) return false;
    return lm_reply_go(reply, LM_STATE_TEXT, match == LM_MATCH_YES ? spaces + strlen(closes) : 0);
}

static bool step(lm_reply *reply) {
    bool stepped, advanced = lm_reply_step_reasoning(reply, opens, &stepped);
    size_t which, n;
    if (stepped) return advanced;
    switch ((lm_reply_state)reply->state) {
    case LM_STATE_TEXT:
        if (!lm_reply_text_until(reply, LM_REPLY_CONTENT, opens, &which, &n)) return false;
        reply->header_from = reply->scan = n;
        reply->state = LM_STATE_HEADER;
        return true;
    case LM_STATE_HEADER: return step_header(reply);
    case LM_STATE_ARGUMENTS: return lm_reply_step_literal(reply, LM_LITERAL_PYTHON);
    case LM_STATE_BROKEN: return lm_reply_drain(reply, closes) && lm_reply_go(reply, LM_STATE_AFTER, 0);
    case LM_STATE_AFTER: return step_after(reply);
    default: return false;
    }
}

const lm_reply_family lm_family_lfm2 = {
    .name = "lfm2", .step = step, .reasoning_open = "<think>", .reasoning_close = "</think>"};
