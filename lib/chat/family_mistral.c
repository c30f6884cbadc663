/* SPDX-License-Identifier: MIT
 * Mistral: [TOOL_CALLS] and then a JSON list (Nemo, Large), NAME[CALL_ID]ID[ARGS]{...} (Small 3.2) or NAME[ARGS]{...}
 * (Devstral, Ministral, Magistral); reasoning in [THINK] tags. */
#include "output_family.h"
#include "output_json.h"

enum { UNDECIDED, LIST, HEADED };

static bool step(lm_chat_output *output) {
    static const lm_tagged_json list = {.opens = LM_WORDS("[TOOL_CALLS]"), .closes = LM_WORDS("</s>"), .list = true};
    static const lm_headed_json headed = {.starts = LM_WORDS("[TOOL_CALLS]"),
                                          .separators = LM_WORDS("[ARGS]"),
                                          .ends = LM_WORDS("</s>"),
                                          .id_mark = "[CALL_ID]"};
    if (output->state == LM_STATE_TEXT) {
        size_t which, n;
        bool more;
        if (!lm_output_text_until(output, LM_OUTPUT_CONTENT, list.opens, &which, &n)) return false;
        size_t spaces = lm_output_spaces(output, n, &more);
        if (more) return false;
        bool json = lm_output_match(output, n + spaces, "[") == LM_MATCH_YES ||
                    lm_output_match(output, n + spaces, "{") == LM_MATCH_YES;
        output->route = json ? LIST : HEADED;
    }
    return output->route == LIST ? lm_tagged_json_step(output, &list) : lm_headed_json_step(output, &headed);
}

const lm_output_family lm_family_mistral = {
    .name = "mistral", .step = step, .reasoning_open = "[THINK]", .reasoning_close = "[/THINK]"};
