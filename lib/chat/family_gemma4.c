/* SPDX-License-Identifier: MIT
 * Gemma 4: <|tool_call>call:NAME{key:value}<tool_call|>, reasoning in <|channel>thought ... <channel|>. Stray channel marks
 * are dropped. */
#include <string.h>

#include "output_family.h"
#include "output_literal.h"

#define NAME_MAX_BYTES 256

enum { OPEN_BYTES = sizeof "<|tool_call>" - 1 };
static const char closes[] = LM_WORDS("<tool_call|>");

static bool step_text(lm_chat_output *output) {
    static const char marks[] = LM_WORDS("<|tool_call>\0<|channel>thought\n\0<|channel>\0<channel|>\0<turn|>");
    size_t which, n;
    if (!lm_output_text_until(output, LM_OUTPUT_CONTENT, marks, &which, &n)) return false;
    if (which == 0) {
        output->state = LM_STATE_HEADER;
        output->scan = n;
        return true;
    }
    lm_output_tag(output);
    return lm_output_go(output, which == 1 ? LM_STATE_REASONING : LM_STATE_TEXT, n);
}

static bool step_header(lm_chat_output *output) {
    size_t n = OPEN_BYTES, which, n_brace;
    bool more;
    size_t spaces = lm_output_spaces(output, n, &more);
    if (more) return false;
    lm_match match = lm_output_match(output, n + spaces, "call:");
    if (match == LM_MATCH_MORE) return false;
    if (match == LM_MATCH_NO) return lm_output_give_up(output, n);
    size_t from = n + spaces + 5, found = lm_output_find(output, LM_WORDS("{"), &which, &n_brace);
    if (found == SIZE_MAX)
        return output->at_end || output->scan > from + NAME_MAX_BYTES ? lm_output_give_up(output, n) : false;
    const char *name = lm_output_rest(output) + from;
    size_t name_n = found - from;
    while (name_n && name[name_n - 1] == ' ') name_n--;
    while (name_n && *name == ' ') name++, name_n--;
    if (!lm_output_is_tool(output, name, name_n)) return lm_output_give_up(output, n);
    lm_output_call_begin(output, name, name_n, "", 0);
    lm_output_literal_begin(output);
    return lm_output_go(output, LM_STATE_ARGUMENTS, found);
}

static bool step(lm_chat_output *output) {
    bool more;
    size_t which, n, spaces;
    lm_match match;
    switch ((lm_output_state)output->state) {
    case LM_STATE_REASONING:
        if (!lm_output_text_until(output, LM_OUTPUT_REASONING, LM_WORDS("<channel|>\0<|tool_call>"), &which, &n))
            return false;
        lm_output_tag(output);
        return lm_output_go(output, LM_STATE_TEXT, which == 0 ? n : 0);
    case LM_STATE_HEADER: return step_header(output);
    case LM_STATE_ARGUMENTS:
        switch (lm_output_literal(output, LM_LITERAL_GEMMA)) {
        case LM_CALL_DONE: lm_output_call_end(output, true); return lm_output_go(output, LM_STATE_AFTER, 0);
        case LM_CALL_BROKEN: return lm_output_go(output, LM_STATE_BROKEN, 0);
        default: return false;
        }
    case LM_STATE_BROKEN: return lm_output_drain(output, closes) && lm_output_go(output, LM_STATE_AFTER, 0);
    case LM_STATE_AFTER:
        spaces = lm_output_spaces(output, 0, &more);
        match = more ? LM_MATCH_MORE : lm_output_match(output, spaces, closes);
        if (match == LM_MATCH_MORE) return false;
        return lm_output_go(output, LM_STATE_TEXT, match == LM_MATCH_YES ? spaces + strlen(closes) : 0);
    default: return step_text(output);
    }
}

const lm_output_family lm_family_gemma4 = {
    .name = "gemma4", .step = step, .reasoning_open = "<|channel>thought\n", .reasoning_close = "<channel|>"};
