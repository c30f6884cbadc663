/* SPDX-License-Identifier: MIT
 * Gemma 4: <|tool_call>call:NAME{key:value}<tool_call|>, reasoning in <|channel>thought ... <channel|>. Stray channel marks
 * are dropped. */
#include <string.h>

#include "output_family.h"
#include "output_literal.h"

#define NAME_MAX_BYTES 256

static const char *const markers[] = {
    "<|tool_call>", "<|channel>thought\n", "<|channel>", "<channel|>", "<turn|>", NULL};
static const char *const closes[] = {"<tool_call|>", NULL};

static bool step_text(lm_output *output) {
    size_t which;
    if (!lm_output_text_until(output, LM_OUTPUT_CONTENT, markers, &which)) return false;
    if (which == 0) {
        output->state = LM_STATE_HEADER;
        output->scan = strlen(markers[0]);
        return true;
    }
    lm_output_tag(output);
    return lm_output_go(output, which == 1 ? LM_STATE_REASONING : LM_STATE_TEXT, strlen(markers[which]));
}

static bool give_up(lm_output *output) {
    size_t n = strlen(markers[0]);
    lm_output_emit(output, LM_OUTPUT_CONTENT, lm_output_rest(output), n);
    return lm_output_go(output, LM_STATE_TEXT, n);
}

static bool step_header(lm_output *output) {
    static const char *const brace[] = {"{", NULL};
    size_t n = strlen(markers[0]), which, spaces;
    bool more;
    spaces = lm_output_spaces(output, n, &more);
    if (more) return false;
    lm_match match = lm_output_match(output, n + spaces, "call:");
    if (match == LM_MATCH_MORE) return false;
    if (match == LM_MATCH_NO) return give_up(output);
    size_t from = n + spaces + 5, found = lm_output_find(output, brace, &which);
    if (found == SIZE_MAX) return output->at_end || output->scan > from + NAME_MAX_BYTES ? give_up(output) : false;
    const char *name = lm_output_rest(output) + from;
    size_t name_n = found - from;
    while (name_n && name[name_n - 1] == ' ') name_n--;
    while (name_n && *name == ' ') name++, name_n--;
    if (!lm_output_is_tool(output, name, name_n)) return give_up(output);
    lm_output_call_begin(output, name, name_n, "", 0);
    lm_output_literal_begin(output);
    return lm_output_go(output, LM_STATE_ARGUMENTS, found);
}

static bool step(lm_output *output) {
    static const char *const reasoning_ends[] = {"<channel|>", "<|tool_call>", NULL};
    bool more;
    size_t which, spaces;
    lm_match match;
    switch ((lm_output_state)output->state) {
    case LM_STATE_REASONING:
        if (!lm_output_text_until(output, LM_OUTPUT_REASONING, reasoning_ends, &which)) return false;
        lm_output_tag(output);
        return lm_output_go(output, LM_STATE_TEXT, which == 0 ? strlen(reasoning_ends[0]) : 0);
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
        match = more ? LM_MATCH_MORE : lm_output_match(output, spaces, closes[0]);
        if (match == LM_MATCH_MORE) return false;
        return lm_output_go(output, LM_STATE_TEXT, match == LM_MATCH_YES ? spaces + strlen(closes[0]) : 0);
    default: return step_text(output);
    }
}

const lm_output_family lm_family_gemma4 = {"gemma4", step, "<|channel>thought\n", "<channel|>", NULL};
