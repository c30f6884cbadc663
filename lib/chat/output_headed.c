/* SPDX-License-Identifier: MIT
 * The engine for calls whose name stands in plain text before JSON arguments. Nothing of a call is consumed before its
 * header is whole and names a tool. */
#include <string.h>

#include "output_json.h"

#define HEADER_MAX 512

static bool is_space(char c) { return c == ' ' || (c >= 9 && c <= 13); }

static bool begin_header(lm_chat_output *output, size_t from) {
    output->header_from = output->scan = from;
    output->state = LM_STATE_HEADER;
    return true;
}

/* A marker of starts, of n bytes, lies at pos. */
static bool begin(lm_chat_output *output, const lm_headed_json *syntax, size_t which, size_t n) {
    if (which >= syntax->n_sections) return begin_header(output, n);
    bool more;
    size_t next, n_next = 0, spaces = lm_output_spaces(output, n, &more);
    const char *calls = lm_word(syntax->starts, syntax->n_sections);
    lm_match match = more ? LM_MATCH_MORE : lm_output_match_any(output, n + spaces, calls, &next, &n_next);
    if (match == LM_MATCH_MORE) {
        output->state = LM_STATE_SECTION;
        return false;
    }
    if (match == LM_MATCH_YES) return begin_header(output, n + spaces + n_next);
    if (syntax->sections_call) return begin_header(output, n);
    return lm_output_give_up(output, n);
}

/* NAME, NAME mark ID, or ID mark NAME. */
static void split_header(lm_chat_output *output, const lm_headed_json *syntax, const char *header, size_t n,
                         lm_str *name, lm_str *id) {
    size_t n_mark = syntax->id_mark ? strlen(syntax->id_mark) : 0, at = n, from = n;
    for (size_t i = 0; n_mark && at == n && i + n_mark <= n; i++)
        if (memcmp(header + i, syntax->id_mark, n_mark) == 0) at = i;
    if (at < n) from = at + n_mark;
    bool swap = syntax->id_first && at < n;
    if (lm_str_append(swap ? id : name, header, at) != LM_OK ||
        lm_str_append(swap ? name : id, header + from, n - from) != LM_OK)
        output->status = LM_ERR_MEMORY;
}

static bool open_call(lm_chat_output *output, const lm_headed_json *syntax, const char *header, size_t n,
                      size_t consumed) {
    lm_str *name = &output->json.name, *id = &output->json.id;
    lm_str_clear(name);
    lm_str_clear(id);
    while (n && is_space(*header)) header++, n--;
    while (n && is_space(header[n - 1])) n--;
    if (syntax->read_header)
        syntax->read_header(output, header, n, name, id);
    else
        split_header(output, syntax, header, n, name, id);
    if (!lm_output_is_tool(output, lm_str_text(name), name->size))
        return lm_output_give_up(output, output->header_from);
    lm_output_call_begin(output, lm_str_text(name), name->size, lm_str_text(id), id->size);
    memset(&output->json_scan, 0, sizeof output->json_scan);
    return lm_output_go(output, LM_STATE_ARGUMENTS, consumed);
}

static bool step_header(lm_chat_output *output, const lm_headed_json *syntax) {
    static const char fences[] = LM_WORDS("```json\0```\0{");
    size_t which, n_word, n_fence, found = lm_output_find(output, syntax->separators, &which, &n_word);
    if (found == SIZE_MAX) {
        if (output->at_end || output->scan - output->header_from > HEADER_MAX)
            return lm_output_give_up(output, output->header_from);
        return false;
    }
    const char *header = lm_output_rest(output) + output->header_from;
    size_t n = found - output->header_from, behind = found + n_word;
    if (n > HEADER_MAX) return lm_output_give_up(output, output->header_from);
    if (!syntax->type_word || n != strlen(syntax->type_word) || memcmp(header, syntax->type_word, n) != 0)
        return open_call(output, syntax, header, n, behind);
    /* The word for the type; the name follows, up to the fence. */
    size_t before = output->scan;
    output->scan = behind;
    size_t fence = lm_output_find(output, fences, &which, &n_fence), searched = output->scan;
    output->scan = before;
    if (fence == SIZE_MAX)
        return output->at_end || searched - behind > HEADER_MAX ? lm_output_give_up(output, output->header_from)
                                                                : false;
    return open_call(output, syntax, lm_output_rest(output) + behind, fence - behind,
                     fence + (which < 2 ? n_fence : 0));
}

static bool step_arguments(lm_chat_output *output, const lm_headed_json *syntax) {
    bool more;
    size_t which, n;
    if (lm_output_current(output)->arguments.size == 0) { /* nothing where arguments should be: there are none */
        size_t spaces = lm_output_spaces(output, 0, &more);
        lm_match match = more ? LM_MATCH_MORE : lm_output_match_any(output, spaces, syntax->ends, &which, &n);
        if (match == LM_MATCH_MORE) return false;
        if (match == LM_MATCH_YES) {
            lm_output_call_word(output, "{}");
            lm_output_call_end(output, true);
            return lm_output_go(output, LM_STATE_AFTER, spaces);
        }
        output->pos += spaces;
    }
    switch (lm_output_json_arguments(output)) {
    case LM_CALL_DONE: lm_output_call_end(output, true); return lm_output_go(output, LM_STATE_AFTER, 0);
    case LM_CALL_BROKEN: return lm_output_go(output, LM_STATE_BROKEN, 0);
    default: return false;
    }
}

static bool step_after(lm_chat_output *output, const lm_headed_json *syntax) {
    bool more;
    size_t which, n, spaces = lm_output_spaces(output, 0, &more);
    if (more) return false;
    lm_match match = lm_output_match_any(output, spaces, syntax->ends, &which, &n);
    if (match == LM_MATCH_YES) return lm_output_go(output, LM_STATE_AFTER, spaces + n);
    lm_match start = lm_output_match_any(output, spaces, syntax->starts, &which, &n);
    lm_match fence = syntax->type_word ? lm_output_match(output, spaces, "```") : LM_MATCH_NO;
    if (fence == LM_MATCH_YES) return lm_output_go(output, LM_STATE_AFTER, spaces + 3);
    if (match == LM_MATCH_MORE || start == LM_MATCH_MORE || fence == LM_MATCH_MORE) return false;
    return lm_output_go(output, LM_STATE_TEXT, 0);
}

bool lm_headed_json_step(lm_chat_output *output, const lm_headed_json *syntax) {
    bool stepped, advanced = lm_output_step_reasoning(output, syntax->starts, &stepped);
    size_t which, n;
    if (stepped) return advanced;
    switch ((lm_output_state)output->state) {
    case LM_STATE_SECTION:
    case LM_STATE_TEXT:
        if (!lm_output_text_until(output, LM_OUTPUT_CONTENT, syntax->starts, &which, &n)) return false;
        return begin(output, syntax, which, n);
    case LM_STATE_HEADER: return step_header(output, syntax);
    case LM_STATE_ARGUMENTS: return step_arguments(output, syntax);
    case LM_STATE_BROKEN: return lm_output_drain(output, syntax->ends) && lm_output_go(output, LM_STATE_AFTER, 0);
    case LM_STATE_AFTER: return step_after(output, syntax);
    default: return false;
    }
}

bool lm_headed_json_family_step(lm_chat_output *output) { return lm_headed_json_step(output, output->family->syntax); }
