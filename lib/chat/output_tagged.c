/* SPDX-License-Identifier: MIT
 * The engine for JSON calls between tags: <tool_call>{...}</tool_call>, or a list of them: [TOOL_CALLS][{...}, {...}]. */
#include "output_json.h"

bool lm_output_drain(lm_chat_output *output, const char *closes) {
    size_t which, n, found = lm_output_find(output, closes, &which, &n);
    n = found == SIZE_MAX ? output->scan : found;
    lm_output_call_arguments(output, lm_output_rest(output), n);
    output->pos += n;
    output->scan = 0;
    if (found == SIZE_MAX) return false;
    lm_output_call_end(output, false);
    return true;
}

/* Behind the opening tag: the object, or the bracket before the first one. The tag stays unread until the call is sure. */
static bool begin_first(lm_chat_output *output, const lm_tagged_json *syntax, size_t n) {
    bool more;
    size_t spaces = lm_output_spaces(output, n, &more);
    if (more) return false;
    output->in_list = syntax->list && lm_output_match(output, n + spaces, "[") == LM_MATCH_YES;
    lm_output_json_begin(output, syntax->needs_arguments, syntax->name_is_key);
    output->header_from = n;
    output->state = LM_STATE_ARGUMENTS;
    output->scan = n + spaces + output->in_list;
    return true;
}

static bool begin_next(lm_chat_output *output, const lm_tagged_json *syntax, size_t n) {
    lm_output_json_begin(output, syntax->needs_arguments, syntax->name_is_key);
    output->header_from = 0;
    return lm_output_go(output, LM_STATE_ARGUMENTS, n);
}

static bool after_call(lm_chat_output *output, const lm_tagged_json *syntax) {
    bool more;
    size_t which, n, spaces = lm_output_spaces(output, 0, &more);
    if (more) return false;
    if (output->in_list && lm_output_match(output, spaces, ",") == LM_MATCH_YES)
        return begin_next(output, syntax, spaces + 1);
    if (output->in_list && lm_output_match(output, spaces, "]") == LM_MATCH_YES) {
        output->in_list = false;
        return lm_output_go(output, LM_STATE_AFTER, spaces + 1);
    }
    lm_match match = lm_output_match_any(output, spaces, syntax->closes, &which, &n);
    if (match == LM_MATCH_MORE) return false;
    if (match == LM_MATCH_YES) return lm_output_go(output, LM_STATE_TEXT, spaces + n);
    if (lm_output_match(output, spaces, "{") == LM_MATCH_YES) return begin_next(output, syntax, spaces);
    return lm_output_go(output, LM_STATE_TEXT, 0);
}

bool lm_tagged_json_step(lm_chat_output *output, const lm_tagged_json *syntax) {
    bool stepped, advanced = lm_output_step_reasoning(output, syntax->opens, &stepped);
    size_t which, n;
    if (stepped) return advanced;
    switch ((lm_output_state)output->state) {
    case LM_STATE_TEXT:
        if (!lm_output_text_until(output, LM_OUTPUT_CONTENT, syntax->opens, &which, &n)) return false;
        return begin_first(output, syntax, n);
    case LM_STATE_ARGUMENTS:
        switch (lm_output_json_call(output)) {
        case LM_CALL_MORE: return false;
        case LM_CALL_DONE:
        case LM_CALL_COMPLETE: return lm_output_go(output, LM_STATE_AFTER, 0);
        case LM_CALL_BROKEN: return lm_output_go(output, LM_STATE_BROKEN, 0);
        case LM_CALL_FAILED: break;
        }
        return lm_output_give_up(output, output->header_from);
    case LM_STATE_BROKEN: return lm_output_drain(output, syntax->closes) && lm_output_go(output, LM_STATE_AFTER, 0);
    case LM_STATE_AFTER: return after_call(output, syntax);
    default: return false;
    }
}

bool lm_tagged_json_family_step(lm_chat_output *output) { return lm_tagged_json_step(output, output->family->syntax); }
