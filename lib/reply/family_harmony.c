/* SPDX-License-Identifier: MIT
 * gpt-oss: messages with a role, a channel and perhaps a recipient. analysis is reasoning, final and commentary are content,
 * a recipient functions.NAME makes a call. The prompt ends inside of a header: "<|start|>assistant". What goes to other recipients (browser, python) is kept as reasoning. */
#include <string.h>

#include "reply_family.h"
#include "reply_json.h"

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

static bool begin_body(lm_reply *reply, size_t n, size_t n_marker) {
    const char *header = lm_reply_rest(reply);
    size_t from = 0, at, n_name = recipient(header, n, &from);
    bool function = n_name > 10 && memcmp(header + from, "functions.", 10) == 0;
    bool assistant = n_name == 9 && memcmp(header + from, "assistant", 9) == 0;
    lm_reply_tag(reply);
    if (function && lm_reply_is_tool(reply, header + from + 10, n_name - 10)) {
        lm_reply_call_begin(reply, header + from + 10, n_name - 10, "", 0);
        memset(&reply->json_scan, 0, sizeof reply->json_scan);
        reply->route = TO_CALL;
        return lm_reply_go(reply, LM_STATE_ARGUMENTS, n + n_marker);
    }
    if (function)
        lm_reply_emit(reply, LM_REPLY_CONTENT, header, n + n_marker); /* an unknown function: nothing is dropped */
    bool aside = n_name && !function && !assistant;
    reply->route = aside || (!function && has_word(header, n, "<|channel|>analysis", &at)) ? TO_REASONING : TO_CONTENT;
    return lm_reply_go(reply, LM_STATE_VALUE, n + n_marker);
}

/* A header goes to <|message|>. Text that cannot be part of one is content. */
static bool step_header(lm_reply *reply) {
    static const char begins[] = LM_WORDS("<|channel|>\0<|start|>\0<|message|>\0<|constrain|>\0assistant\0to=");
    bool more;
    size_t which, n, spaces = lm_reply_spaces(reply, 0, &more);
    lm_match match = more ? LM_MATCH_MORE : lm_reply_match_any(reply, spaces, begins, &which, &n);
    if (match == LM_MATCH_MORE) return false;
    if (match == LM_MATCH_NO) {
        reply->route = TO_CONTENT;
        return lm_reply_go(reply, LM_STATE_VALUE, 0);
    }
    size_t found = lm_reply_find(reply, LM_WORDS("<|message|>"), &which, &n);
    if (found != SIZE_MAX && found <= HEADER_MAX) return begin_body(reply, found, n);
    if (found == SIZE_MAX && !reply->at_end && reply->scan <= HEADER_MAX) return false;
    lm_reply_emit(reply, LM_REPLY_CONTENT, lm_reply_rest(reply), spaces + 1);
    reply->route = TO_CONTENT;
    return lm_reply_go(reply, LM_STATE_VALUE, spaces + 1);
}

/* At one of body_ends, of n bytes. */
static bool end_body(lm_reply *reply, size_t which, size_t n) {
    lm_reply_tag(reply);
    return lm_reply_go(reply, LM_STATE_HEADER, which < 3 ? n : 0);
}

static bool step_arguments(lm_reply *reply) {
    bool more;
    size_t which, n, spaces;
    switch (lm_reply_json_arguments(reply)) {
    case LM_CALL_MORE: return false;
    case LM_CALL_BROKEN: return lm_reply_go(reply, LM_STATE_BROKEN, 0);
    default: break;
    }
    spaces = lm_reply_spaces(reply, 0, &more);
    if (more) return false;
    lm_match match = lm_reply_match_any(reply, spaces, body_ends, &which, &n);
    if (match == LM_MATCH_MORE) return false;
    if (match == LM_MATCH_YES || spaces == lm_reply_left(reply)) {
        reply->pos += spaces;
        lm_reply_call_end(reply, true);
        return match == LM_MATCH_YES ? end_body(reply, which, n) : lm_reply_go(reply, LM_STATE_HEADER, 0);
    }
    return lm_reply_go(reply, LM_STATE_BROKEN, 0);
}

static bool step(lm_reply *reply) {
    size_t which, n;
    switch ((lm_reply_state)reply->state) {
    case LM_STATE_HEADER: return step_header(reply);
    case LM_STATE_ARGUMENTS: return step_arguments(reply);
    case LM_STATE_BROKEN:
        if (!lm_reply_drain(reply, body_ends)) return false;
        return lm_reply_match_any(reply, 0, body_ends, &which, &n) == LM_MATCH_YES && end_body(reply, which, n);
    default:
        if (!lm_reply_text_until(reply, reply->route == TO_REASONING ? LM_REPLY_REASONING : LM_REPLY_CONTENT, body_ends,
                                 &which, &n))
            return false;
        return end_body(reply, which, n);
    }
}

const lm_reply_family lm_family_harmony = {.name = "harmony", .step = step, .first = LM_STATE_HEADER};
