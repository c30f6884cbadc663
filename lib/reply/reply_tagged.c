/* SPDX-License-Identifier: MIT
 * The engine for JSON calls between tags: <tool_call>{...}</tool_call>, or a list of them: [TOOL_CALLS][{...}, {...}]. */
#include "reply_json.h"

bool lm_reply_drain(lm_reply *reply, const char *closes) {
    size_t which, n, found = lm_reply_find(reply, closes, &which, &n);
    n = found == SIZE_MAX ? reply->scan : found;
    lm_reply_call_arguments(reply, lm_reply_rest(reply), n);
    reply->pos += n;
    reply->scan = 0;
    if (found == SIZE_MAX) return false;
    lm_reply_call_end(reply, false);
    return true;
}

/* Behind the opening tag: the object, or the bracket before the first one. The tag stays unread until the call is sure. */
static bool begin_first(lm_reply *reply, const lm_tagged_json *syntax, size_t n) {
    bool more;
    size_t spaces = lm_reply_spaces(reply, n, &more);
    if (more) return false;
    reply->in_list = syntax->list && lm_reply_match(reply, n + spaces, "[") == LM_MATCH_YES;
    lm_reply_json_begin(reply, syntax->needs_arguments, syntax->name_is_key);
    reply->header_from = n;
    reply->state = LM_STATE_ARGUMENTS;
    reply->scan = n + spaces + reply->in_list;
    return true;
}

static bool begin_next(lm_reply *reply, const lm_tagged_json *syntax, size_t n) {
    lm_reply_json_begin(reply, syntax->needs_arguments, syntax->name_is_key);
    reply->header_from = 0;
    return lm_reply_go(reply, LM_STATE_ARGUMENTS, n);
}

static bool after_call(lm_reply *reply, const lm_tagged_json *syntax) {
    bool more;
    size_t which, n, spaces = lm_reply_spaces(reply, 0, &more);
    if (more) return false;
    if (reply->in_list && lm_reply_match(reply, spaces, ",") == LM_MATCH_YES)
        return begin_next(reply, syntax, spaces + 1);
    if (reply->in_list && lm_reply_match(reply, spaces, "]") == LM_MATCH_YES) {
        reply->in_list = false;
        return lm_reply_go(reply, LM_STATE_AFTER, spaces + 1);
    }
    lm_match match = lm_reply_match_any(reply, spaces, syntax->closes, &which, &n);
    if (match == LM_MATCH_MORE) return false;
    if (match == LM_MATCH_YES) return lm_reply_go(reply, LM_STATE_TEXT, spaces + n);
    if (lm_reply_match(reply, spaces, "{") == LM_MATCH_YES) return begin_next(reply, syntax, spaces);
    return lm_reply_go(reply, LM_STATE_TEXT, 0);
}

bool lm_tagged_json_step(lm_reply *reply, const lm_tagged_json *syntax) {
    bool stepped, advanced = lm_reply_step_reasoning(reply, syntax->opens, &stepped);
    size_t which, n;
    if (stepped) return advanced;
    switch ((lm_reply_state)reply->state) {
    case LM_STATE_TEXT:
        if (!lm_reply_text_until(reply, LM_REPLY_CONTENT, syntax->opens, &which, &n)) return false;
        return begin_first(reply, syntax, n);
    case LM_STATE_ARGUMENTS:
        switch (lm_reply_json_call(reply)) {
        case LM_CALL_MORE: return false;
        case LM_CALL_DONE:
        case LM_CALL_COMPLETE: return lm_reply_go(reply, LM_STATE_AFTER, 0);
        case LM_CALL_BROKEN: return lm_reply_go(reply, LM_STATE_BROKEN, 0);
        case LM_CALL_FAILED: break;
        }
        return lm_reply_give_up(reply, reply->header_from);
    case LM_STATE_BROKEN: return lm_reply_drain(reply, syntax->closes) && lm_reply_go(reply, LM_STATE_AFTER, 0);
    case LM_STATE_AFTER: return after_call(reply, syntax);
    default: return false;
    }
}

bool lm_tagged_json_family_step(lm_reply *reply) { return lm_tagged_json_step(reply, reply->family->syntax); }
