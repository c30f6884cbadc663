/* SPDX-License-Identifier: MIT
 * gpt-oss: messages with a role, a channel and perhaps a recipient. analysis is reasoning, final and commentary are content,
 * a recipient functions.NAME makes a call. The prompt ends inside of a header: "<|start|>assistant". What goes to other recipients (browser, python) is kept as reasoning. */
#include <string.h>

#include "output_family.h"
#include "output_json.h"

#define HEADER_MAX 1024

enum { TO_CONTENT, TO_REASONING, TO_CALL };

static const char body_ends[] = LM_WORDS("<|end|>\0<|call|>\0<|return|>\0<|start|>\0<|channel|>");

static bool has_word(const char *text, size_t n, const char *word, size_t *at) {
    size_t n_word = strlen(word);
    for (size_t i = 0; i + n_word <= n; i++) {
        if (memcmp(text + i, word, n_word) != 0) continue;
        *at = i + n_word;
        return true;
    }
    return false;
}

/* The recipient of a header: what follows " to=". */
static size_t recipient(const char *header, size_t n, size_t *from) {
    size_t end;
    if (!has_word(header, n, "to=", from)) return 0;
    for (end = *from; end < n && header[end] != ' ' && header[end] != '<' && header[end] != '\n'; end++) {}
    return end - *from;
}

static bool begin_body(lm_chat_output *output, size_t n, size_t n_marker) {
    const char *header = lm_output_rest(output);
    size_t from = 0, at, n_name = recipient(header, n, &from);
    bool function = n_name > 10 && memcmp(header + from, "functions.", 10) == 0;
    bool assistant = n_name == 9 && memcmp(header + from, "assistant", 9) == 0;
    lm_output_tag(output);
    if (function && lm_output_is_tool(output, header + from + 10, n_name - 10)) {
        lm_output_call_begin(output, header + from + 10, n_name - 10, "", 0);
        memset(&output->json_scan, 0, sizeof output->json_scan);
        output->route = TO_CALL;
        return lm_output_go(output, LM_STATE_ARGUMENTS, n + n_marker);
    }
    if (function)
        lm_output_emit(output, LM_OUTPUT_CONTENT, header, n + n_marker); /* an unknown function: nothing is dropped */
    bool aside = n_name && !function && !assistant;
    output->route = aside || (!function && has_word(header, n, "<|channel|>analysis", &at)) ? TO_REASONING : TO_CONTENT;
    return lm_output_go(output, LM_STATE_VALUE, n + n_marker);
}

/* A header goes to <|message|>. Text that cannot be part of one is content. */
static bool step_header(lm_chat_output *output) {
    static const char begins[] = LM_WORDS("<|channel|>\0<|start|>\0<|message|>\0<|constrain|>\0assistant\0to=");
    bool more;
    size_t which, n, spaces = lm_output_spaces(output, 0, &more);
    lm_match match = more ? LM_MATCH_MORE : lm_output_match_any(output, spaces, begins, &which, &n);
    if (match == LM_MATCH_MORE) return false;
    if (match == LM_MATCH_NO) {
        output->route = TO_CONTENT;
        return lm_output_go(output, LM_STATE_VALUE, 0);
    }
    size_t found = lm_output_find(output, LM_WORDS("<|message|>"), &which, &n);
    if (found != SIZE_MAX && found <= HEADER_MAX) return begin_body(output, found, n);
    if (found == SIZE_MAX && !output->at_end && output->scan <= HEADER_MAX) return false;
    lm_output_emit(output, LM_OUTPUT_CONTENT, lm_output_rest(output), spaces + 1);
    output->route = TO_CONTENT;
    return lm_output_go(output, LM_STATE_VALUE, spaces + 1);
}

/* At one of body_ends, of n bytes. */
static bool end_body(lm_chat_output *output, size_t which, size_t n) {
    lm_output_tag(output);
    return lm_output_go(output, LM_STATE_HEADER, which < 3 ? n : 0);
}

static bool step_arguments(lm_chat_output *output) {
    bool more;
    size_t which, n, spaces;
    switch (lm_output_json_arguments(output)) {
    case LM_CALL_MORE: return false;
    case LM_CALL_BROKEN: return lm_output_go(output, LM_STATE_BROKEN, 0);
    default: break;
    }
    spaces = lm_output_spaces(output, 0, &more);
    if (more) return false;
    lm_match match = lm_output_match_any(output, spaces, body_ends, &which, &n);
    if (match == LM_MATCH_MORE) return false;
    if (match == LM_MATCH_YES || spaces == lm_output_left(output)) {
        output->pos += spaces;
        lm_output_call_end(output, true);
        return match == LM_MATCH_YES ? end_body(output, which, n) : lm_output_go(output, LM_STATE_HEADER, 0);
    }
    return lm_output_go(output, LM_STATE_BROKEN, 0);
}

static bool step(lm_chat_output *output) {
    size_t which, n;
    switch ((lm_output_state)output->state) {
    case LM_STATE_HEADER: return step_header(output);
    case LM_STATE_ARGUMENTS: return step_arguments(output);
    case LM_STATE_BROKEN:
        if (!lm_output_drain(output, body_ends)) return false;
        return lm_output_match_any(output, 0, body_ends, &which, &n) == LM_MATCH_YES && end_body(output, which, n);
    default:
        if (!lm_output_text_until(output, output->route == TO_REASONING ? LM_OUTPUT_REASONING : LM_OUTPUT_CONTENT,
                                  body_ends, &which, &n))
            return false;
        return end_body(output, which, n);
    }
}

const lm_output_family lm_family_harmony = {.name = "harmony", .step = step, .first = LM_STATE_HEADER};
