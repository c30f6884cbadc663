/* SPDX-License-Identifier: MIT
 * Llama 3: a call is the whole reply, {"name": ..., "parameters": {...}}, perhaps behind <|python_tag|>; several are separated
 * by semicolons. Tools that the model knows are called in Python: <|python_tag|>NAME.call(key="value"). Everything else is
 * content. */
#include "reply_family.h"
#include "reply_literal.h"

#define NAME_MAX_BYTES 256

static const char tag[] = "<|python_tag|>";

static bool begin(lm_reply *reply, size_t from, size_t skip) {
    lm_reply_json_begin(reply, true, false);
    reply->header_from = from;
    reply->state = LM_STATE_ARGUMENTS;
    reply->scan = skip;
    return true;
}

static bool step_start(lm_reply *reply) {
    bool more;
    size_t spaces = lm_reply_spaces(reply, 0, &more), n = 0;
    if (more) return false;
    lm_match match = lm_reply_match(reply, spaces, tag);
    if (match == LM_MATCH_MORE) return false;
    if (match == LM_MATCH_YES) n = sizeof tag - 1;
    size_t inner = lm_reply_spaces(reply, spaces + n, &more);
    if (more) return false;
    if (lm_reply_match(reply, spaces + n + inner, "{") == LM_MATCH_YES)
        return begin(reply, spaces + n, spaces + n + inner);
    if (n == 0) return lm_reply_go(reply, LM_STATE_PLAIN, 0);
    reply->header_from = reply->scan = spaces + n + inner;
    reply->state = LM_STATE_HEADER;
    return true;
}

static bool step_header(lm_reply *reply) {
    size_t which, n, from = reply->header_from, found = lm_reply_find(reply, LM_WORDS(".call("), &which, &n);
    bool late = reply->at_end || reply->scan > from + NAME_MAX_BYTES;
    if (found == SIZE_MAX) return late ? lm_reply_go(reply, LM_STATE_PLAIN, 0) : false;
    const char *name = lm_reply_rest(reply) + from;
    for (size_t i = from; i < found; i++)
        if (strchr(" \t\n\"'()=,;", lm_reply_rest(reply)[i])) return lm_reply_go(reply, LM_STATE_PLAIN, 0);
    if (!lm_reply_is_tool(reply, name, found - from)) return lm_reply_go(reply, LM_STATE_PLAIN, 0);
    lm_reply_call_begin(reply, name, found - from, "", 0);
    lm_reply_literal_begin(reply);
    return lm_reply_go(reply, LM_STATE_VALUE, found + n);
}

static bool step_after(lm_reply *reply) {
    bool more;
    size_t which, n, spaces = lm_reply_spaces(reply, 0, &more);
    if (more) return false;
    lm_match match = lm_reply_match_any(reply, spaces, LM_WORDS("<|eot_id|>\0<|eom_id|>"), &which, &n);
    if (match == LM_MATCH_MORE) return false;
    if (match == LM_MATCH_YES) return lm_reply_go(reply, LM_STATE_PLAIN, spaces + n);
    size_t semicolon = lm_reply_match(reply, spaces, ";") == LM_MATCH_YES;
    size_t inner = lm_reply_spaces(reply, spaces + semicolon, &more);
    if (more) return false;
    if (lm_reply_match(reply, spaces + semicolon + inner, "{") == LM_MATCH_YES)
        return begin(reply, spaces + semicolon + inner, spaces + semicolon + inner);
    return lm_reply_go(reply, LM_STATE_PLAIN, 0);
}

static bool step(lm_reply *reply) {
    size_t which, n;
    switch ((lm_reply_state)reply->state) {
    case LM_STATE_START: return step_start(reply);
    case LM_STATE_ARGUMENTS:
        switch (lm_reply_json_call(reply)) {
        case LM_CALL_MORE: return false;
        case LM_CALL_DONE:
        case LM_CALL_COMPLETE: return lm_reply_go(reply, LM_STATE_AFTER, 0);
        case LM_CALL_BROKEN: return lm_reply_go(reply, LM_STATE_BROKEN, 0);
        default: return lm_reply_go(reply, LM_STATE_PLAIN, 0);
        }
    case LM_STATE_HEADER: return step_header(reply);
    case LM_STATE_VALUE: return lm_reply_step_literal(reply, LM_LITERAL_PYTHON);
    case LM_STATE_BROKEN: return lm_reply_drain(reply, NULL);
    case LM_STATE_AFTER: return step_after(reply);
    default: return lm_reply_text_until(reply, LM_REPLY_CONTENT, NULL, &which, &n);
    }
}

const lm_reply_family lm_family_llama3 = {.name = "llama3", .step = step};
