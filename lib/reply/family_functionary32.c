/* SPDX-License-Identifier: MIT
 * Functionary 3.2: the reply goes to recipients, >>>all and a line feed before text, >>>NAME and a line feed before the JSON
 * arguments of a call. The prompt ends with the first >>>. */
#include <string.h>

#include "reply_family.h"
#include "reply_json.h"

#define NAME_MAX_BYTES 256

static const char mark[] = LM_WORDS(">>>");

/* A header goes to the end of its line. */
static bool step_header(lm_reply *reply) {
    size_t which, n, from = 0;
    lm_match match = lm_reply_match(reply, 0, mark);
    if (match == LM_MATCH_MORE) return false;
    if (match == LM_MATCH_YES) from = strlen(mark);
    if (reply->scan < from) reply->scan = from;
    size_t found = lm_reply_find(reply, LM_WORDS("\n"), &which, &n);
    if (found == SIZE_MAX && !reply->at_end && reply->scan <= from + NAME_MAX_BYTES) return false;
    const char *name = lm_reply_rest(reply) + from;
    if (found == SIZE_MAX || found > from + NAME_MAX_BYTES) return lm_reply_give_up(reply, from);
    n = found - from;
    if (n == 3 && memcmp(name, "all", 3) == 0) {
        lm_reply_tag(reply);
        return lm_reply_go(reply, LM_STATE_TEXT, found + 1);
    }
    if (!lm_reply_is_tool(reply, name, n)) return lm_reply_give_up(reply, from);
    lm_reply_call_begin(reply, name, n, "", 0);
    memset(&reply->json_scan, 0, sizeof reply->json_scan);
    return lm_reply_go(reply, LM_STATE_ARGUMENTS, found + 1);
}

static bool step(lm_reply *reply) {
    size_t which, n;
    bool more;
    switch ((lm_reply_state)reply->state) {
    case LM_STATE_HEADER: return step_header(reply);
    case LM_STATE_ARGUMENTS:
        switch (lm_reply_json_arguments(reply)) {
        case LM_CALL_DONE: lm_reply_call_end(reply, true); return lm_reply_go(reply, LM_STATE_AFTER, 0);
        case LM_CALL_BROKEN: return lm_reply_go(reply, LM_STATE_BROKEN, 0);
        default: return false;
        }
    case LM_STATE_BROKEN: return lm_reply_drain(reply, mark) && lm_reply_go(reply, LM_STATE_HEADER, 0);
    case LM_STATE_AFTER: n = lm_reply_spaces(reply, 0, &more); return !more && lm_reply_go(reply, LM_STATE_TEXT, n);
    default:
        if (!lm_reply_text_until(reply, LM_REPLY_CONTENT, mark, &which, &n)) return false;
        return lm_reply_go(reply, LM_STATE_HEADER, 0);
    }
}

const lm_reply_family lm_family_functionary32 = {
    .name = "functionary-3.2", .step = step, .first = LM_STATE_HEADER, .drops = LM_WORDS("<|eot_id|>\0<|eom_id|>")};
