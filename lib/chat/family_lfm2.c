/* SPDX-License-Identifier: MIT
 * LFM2: calls in Python's syntax, <|tool_call_start|>[name(arg="v", n=1)]<|tool_call_end|>. */
#include <string.h>

#include "output_family.h"
#include "output_literal.h"

#define NAME_MAX_BYTES 256

static const char opens[] = LM_WORDS("<|tool_call_start|>");
static const char closes[] = LM_WORDS("<|tool_call_end|>");

/* From the marker, or a comma, to the parenthesis. */
static bool step_header(lm_chat_output *output) {
    size_t which, n, from = output->header_from, found;
    bool more;
    size_t spaces = lm_output_spaces(output, from, &more);
    if (more) return false;
    if (lm_output_match(output, from + spaces, "[") == LM_MATCH_YES) spaces++;
    if (output->scan < from + spaces) output->scan = from + spaces;
    found = lm_output_find(output, LM_WORDS("("), &which, &n);
    if (found == SIZE_MAX)
        return output->at_end || output->scan > from + NAME_MAX_BYTES ? lm_output_give_up(output, from) : false;
    const char *name = lm_output_rest(output) + from + spaces;
    n = found - from - spaces;
    while (n && (name[n - 1] == ' ' || name[n - 1] == '\n')) n--;
    while (n && (*name == ' ' || *name == '\n')) name++, n--;
    if (!lm_output_is_tool(output, name, n)) return lm_output_give_up(output, from);
    lm_output_call_begin(output, name, n, "", 0);
    lm_output_literal_begin(output);
    return lm_output_go(output, LM_STATE_ARGUMENTS, found + 1);
}

static bool step_after(lm_chat_output *output) {
    bool more;
    size_t spaces = lm_output_spaces(output, 0, &more);
    if (more) return false;
    if (lm_output_match(output, spaces, "]") == LM_MATCH_YES) return lm_output_go(output, LM_STATE_AFTER, spaces + 1);
    if (lm_output_match(output, spaces, ",") == LM_MATCH_YES) {
        output->header_from = 0;
        return lm_output_go(output, LM_STATE_HEADER, spaces + 1);
    }
    lm_match match = lm_output_match(output, spaces, closes);
    if (match == LM_MATCH_MORE) return false;
    return lm_output_go(output, LM_STATE_TEXT, match == LM_MATCH_YES ? spaces + strlen(closes) : 0);
}

static bool step(lm_chat_output *output) {
    bool stepped, advanced = lm_output_step_reasoning(output, opens, &stepped);
    size_t which, n;
    if (stepped) return advanced;
    switch ((lm_output_state)output->state) {
    case LM_STATE_TEXT:
        if (!lm_output_text_until(output, LM_OUTPUT_CONTENT, opens, &which, &n)) return false;
        output->header_from = output->scan = n;
        output->state = LM_STATE_HEADER;
        return true;
    case LM_STATE_HEADER: return step_header(output);
    case LM_STATE_ARGUMENTS:
        switch (lm_output_literal(output, LM_LITERAL_PYTHON)) {
        case LM_CALL_DONE: lm_output_call_end(output, true); return lm_output_go(output, LM_STATE_AFTER, 0);
        case LM_CALL_BROKEN: return lm_output_go(output, LM_STATE_BROKEN, 0);
        default: return false;
        }
    case LM_STATE_BROKEN: return lm_output_drain(output, closes) && lm_output_go(output, LM_STATE_AFTER, 0);
    case LM_STATE_AFTER: return step_after(output);
    default: return false;
    }
}

const lm_output_family lm_family_lfm2 = {
    .name = "lfm2", .step = step, .reasoning_open = "<think>", .reasoning_close = "</think>"};
