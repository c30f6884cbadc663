/* SPDX-License-Identifier: MIT
 * Functionary 3.2: the reply goes to recipients, >>>all and a line feed before text, >>>NAME and a line feed before the JSON
 * arguments of a call. The prompt ends with the first >>>. */
#include <string.h>

#include "output_family.h"
#include "output_json.h"

#define NAME_MAX_BYTES 256

static const char mark[] = LM_WORDS(">>>");

/* A header goes to the end of its line. */
static bool step_header(lm_chat_output *output) {
    size_t which, n, from = 0;
    lm_match match = lm_output_match(output, 0, mark);
    if (match == LM_MATCH_MORE) return false;
    if (match == LM_MATCH_YES) from = strlen(mark);
    if (output->scan < from) output->scan = from;
    size_t found = lm_output_find(output, LM_WORDS("\n"), &which, &n);
    if (found == SIZE_MAX && !output->at_end && output->scan <= from + NAME_MAX_BYTES) return false;
    const char *name = lm_output_rest(output) + from;
    if (found == SIZE_MAX || found > from + NAME_MAX_BYTES) return lm_output_give_up(output, from);
    n = found - from;
    if (n == 3 && memcmp(name, "all", 3) == 0) {
        lm_output_tag(output);
        return lm_output_go(output, LM_STATE_TEXT, found + 1);
    }
    if (!lm_output_is_tool(output, name, n)) return lm_output_give_up(output, from);
    lm_output_call_begin(output, name, n, "", 0);
    memset(&output->json_scan, 0, sizeof output->json_scan);
    return lm_output_go(output, LM_STATE_ARGUMENTS, found + 1);
}

static bool step(lm_chat_output *output) {
    size_t which, n;
    bool more;
    switch ((lm_output_state)output->state) {
    case LM_STATE_HEADER: return step_header(output);
    case LM_STATE_ARGUMENTS:
        switch (lm_output_json_arguments(output)) {
        case LM_CALL_DONE: lm_output_call_end(output, true); return lm_output_go(output, LM_STATE_AFTER, 0);
        case LM_CALL_BROKEN: return lm_output_go(output, LM_STATE_BROKEN, 0);
        default: return false;
        }
    case LM_STATE_BROKEN: return lm_output_drain(output, mark) && lm_output_go(output, LM_STATE_HEADER, 0);
    case LM_STATE_AFTER: n = lm_output_spaces(output, 0, &more); return !more && lm_output_go(output, LM_STATE_TEXT, n);
    default:
        if (!lm_output_text_until(output, LM_OUTPUT_CONTENT, mark, &which, &n)) return false;
        return lm_output_go(output, LM_STATE_HEADER, 0);
    }
}

const lm_output_family lm_family_functionary32 = {
    .name = "functionary-3.2", .step = step, .first = LM_STATE_HEADER, .drops = LM_WORDS("<|eot_id|>\0<|eom_id|>")};
