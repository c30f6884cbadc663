/* SPDX-License-Identifier: MIT
 * Llama 3: a call is the whole reply, {"name": ..., "parameters": {...}}, perhaps behind <|python_tag|>; several are separated
 * by semicolons. Everything else is content. */
#include "output_family.h"
#include "output_json.h"

static const char tag[] = "<|python_tag|>";

static bool begin(lm_chat_output *output, size_t from, size_t skip) {
    lm_output_json_begin(output, true, false);
    output->header_from = from;
    output->state = LM_STATE_ARGUMENTS;
    output->scan = skip;
    return true;
}

static bool step_start(lm_chat_output *output) {
    bool more;
    size_t spaces = lm_output_spaces(output, 0, &more), n = 0;
    if (more) return false;
    lm_match match = lm_output_match(output, spaces, tag);
    if (match == LM_MATCH_MORE) return false;
    if (match == LM_MATCH_YES) n = sizeof tag - 1;
    size_t inner = lm_output_spaces(output, spaces + n, &more);
    if (more) return false;
    if (lm_output_match(output, spaces + n + inner, "{") != LM_MATCH_YES)
        return lm_output_go(output, LM_STATE_PLAIN, 0);
    return begin(output, spaces + n, spaces + n + inner);
}

static bool step_after(lm_chat_output *output) {
    bool more;
    size_t which, n, spaces = lm_output_spaces(output, 0, &more);
    if (more) return false;
    lm_match match = lm_output_match_any(output, spaces, LM_WORDS("<|eot_id|>\0<|eom_id|>"), &which, &n);
    if (match == LM_MATCH_MORE) return false;
    if (match == LM_MATCH_YES) return lm_output_go(output, LM_STATE_PLAIN, spaces + n);
    size_t semicolon = lm_output_match(output, spaces, ";") == LM_MATCH_YES;
    size_t inner = lm_output_spaces(output, spaces + semicolon, &more);
    if (more) return false;
    if (lm_output_match(output, spaces + semicolon + inner, "{") == LM_MATCH_YES)
        return begin(output, spaces + semicolon + inner, spaces + semicolon + inner);
    return lm_output_go(output, LM_STATE_PLAIN, 0);
}

static bool step(lm_chat_output *output) {
    size_t which, n;
    switch ((lm_output_state)output->state) {
    case LM_STATE_START: return step_start(output);
    case LM_STATE_ARGUMENTS:
        switch (lm_output_json_call(output)) {
        case LM_CALL_MORE: return false;
        case LM_CALL_DONE:
        case LM_CALL_COMPLETE: return lm_output_go(output, LM_STATE_AFTER, 0);
        case LM_CALL_BROKEN: return lm_output_go(output, LM_STATE_BROKEN, 0);
        default: return lm_output_go(output, LM_STATE_PLAIN, 0);
        }
    case LM_STATE_BROKEN: return lm_output_drain(output, NULL);
    case LM_STATE_AFTER: return step_after(output);
    default: return lm_output_text_until(output, LM_OUTPUT_CONTENT, NULL, &which, &n);
    }
}

const lm_output_family lm_family_llama3 = {.name = "llama3", .step = step};
