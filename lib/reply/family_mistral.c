/* SPDX-License-Identifier: MIT
 * Mistral: [TOOL_CALLS] and then a JSON list (Nemo, Large), NAME[CALL_ID]ID[ARGS]{...} (Small 3.2) or NAME[ARGS]{...}
 * (Devstral, Ministral, Magistral); reasoning in [THINK] tags. */
#include "reply_family.h"
#include "reply_json.h"

enum { UNDECIDED, LIST, HEADED };

static bool step(lm_reply *reply) {
    static const lm_tagged_json list = {.opens = LM_WORDS("[TOOL_CALLS]"), .closes = LM_WORDS("</s>"), .list = true};
    static const lm_headed_json headed = {.starts = LM_WORDS("[TOOL_CALLS]"),
                                          .separators = LM_WORDS("[ARGS]"),
                                          .ends = LM_WORDS("</s>"),
                                          .id_mark = "[CALL_ID]"};
    if (reply->state == LM_STATE_TEXT) {
        size_t which, n;
        bool more;
        if (!lm_reply_text_until(reply, LM_REPLY_CONTENT, list.opens, &which, &n)) return false;
        size_t spaces = lm_reply_spaces(reply, n, &more);
        if (more) return false;
        bool json = lm_reply_match(reply, n + spaces, "[") == LM_MATCH_YES ||
                    lm_reply_match(reply, n + spaces, "{") == LM_MATCH_YES;
        reply->route = json ? LIST : HEADED;
    }
    return reply->route == LIST ? lm_tagged_json_step(reply, &list) : lm_headed_json_step(reply, &headed);
}

const lm_reply_family lm_family_mistral = {
    .name = "mistral", .step = step, .reasoning_open = "[THINK]", .reasoning_close = "[/THINK]"};
