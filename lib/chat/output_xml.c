/* SPDX-License-Identifier: MIT
 * Calls as tags. The value of a parameter that is text is handed out while it arrives; others when they are whole. A closing
 * tag inside of a value does not end it unless something that may follow a value follows. */
#include "output_xml.h"

#include <string.h>

#define NAME_MAX_BYTES 512
#define SPACES_MAX 64

static bool begin_name(lm_chat_output *output, size_t from) {
    output->header_from = output->scan = from;
    output->state = LM_STATE_HEADER;
    return true;
}

/* A marker of starts, of n bytes, lies at pos. */
static bool begin(lm_chat_output *output, const lm_xml_syntax *syntax, size_t which, size_t n) {
    size_t next, n_next = 0;
    bool more;
    if (which >= syntax->n_sections) return begin_name(output, n);
    size_t spaces = lm_output_spaces(output, n, &more);
    const char *calls = lm_word(syntax->starts, syntax->n_sections);
    lm_match match = more ? LM_MATCH_MORE : lm_output_match_any(output, n + spaces, calls, &next, &n_next);
    if (match == LM_MATCH_MORE) return false;
    if (match == LM_MATCH_YES) return begin_name(output, n + spaces + n_next);
    return lm_output_give_up(output, n);
}

static bool step_name(lm_chat_output *output, const lm_xml_syntax *syntax) {
    size_t which, n_end, found = lm_output_find(output, syntax->name_ends, &which, &n_end);
    if (found == SIZE_MAX)
        return output->at_end || output->scan - output->header_from > NAME_MAX_BYTES
                   ? lm_output_give_up(output, output->header_from)
                   : false;
    const char *name = lm_output_rest(output) + output->header_from;
    size_t n = found - output->header_from;
    while (n && (name[n - 1] == ' ' || name[n - 1] == '"')) n--;
    while (n && (*name == ' ' || *name == '"')) name++, n--;
    if (n > NAME_MAX_BYTES || !lm_output_is_tool(output, name, n))
        return lm_output_give_up(output, output->header_from);
    lm_output_call_begin(output, name, n, "", 0);
    lm_output_call_word(output, "{");
    return lm_output_go(output, LM_STATE_SECTION, found + (syntax->name_ends_stay ? 0 : n_end));
}

static bool end_call(lm_chat_output *output, lm_output_state state, size_t n) {
    lm_output_call_word(output, "}");
    lm_output_call_end(output, true);
    return lm_output_go(output, state, n);
}

/* Between parameters. */
static bool step_between(lm_chat_output *output, const lm_xml_syntax *syntax) {
    bool more;
    size_t which, n, spaces = lm_output_spaces(output, 0, &more);
    if (more) return false;
    if (output->at_end && spaces == lm_output_left(output)) return false;
    lm_match close = lm_output_match_any(output, spaces, syntax->call_closes, &which, &n);
    if (close == LM_MATCH_YES) return end_call(output, LM_STATE_AFTER, spaces + n);
    lm_match section = lm_output_match_any(output, spaces, syntax->section_closes, &which, &n);
    if (section == LM_MATCH_YES) return end_call(output, LM_STATE_AFTER, spaces);
    lm_match parameter = lm_output_match(output, spaces, syntax->parameter);
    if (parameter == LM_MATCH_YES) {
        output->header_from = output->scan = spaces + strlen(syntax->parameter);
        output->state = LM_STATE_ARGUMENTS;
        return true;
    }
    if (close == LM_MATCH_MORE || section == LM_MATCH_MORE || parameter == LM_MATCH_MORE) return false;
    lm_output_call_end(output, false); /* something else: the rest is content */
    return lm_output_go(output, LM_STATE_TEXT, 0);
}

static bool break_off(lm_chat_output *output) {
    lm_output_call_end(output, false);
    return lm_output_go(output, LM_STATE_TEXT, 0);
}

static bool step_key(lm_chat_output *output, const lm_xml_syntax *syntax) {
    size_t which, n, found = lm_output_find(output, syntax->key_ends, &which, &n);
    if (found == SIZE_MAX)
        return output->at_end || output->scan - output->header_from > NAME_MAX_BYTES ? break_off(output) : false;
    size_t after = found + n;
    if (syntax->value_open) {
        bool more;
        size_t spaces = lm_output_spaces(output, after, &more);
        lm_match match = more ? LM_MATCH_MORE : lm_output_match(output, after + spaces, syntax->value_open);
        if (match == LM_MATCH_MORE) return false;
        if (match == LM_MATCH_NO) return break_off(output);
        after += spaces + strlen(syntax->value_open);
    }
    if (syntax->trims_lines) { /* the line feed behind the tag is not part of the value */
        if (after == lm_output_left(output) && !output->at_end) return false;
        if (lm_output_match(output, after, "\n") == LM_MATCH_YES) after++;
    }
    const char *key = lm_output_rest(output) + output->header_from;
    n = found - output->header_from;
    while (n && key[n - 1] == ' ') n--;
    if (output->any_argument) lm_output_call_word(output, ", ");
    output->any_argument = true;
    lm_output_call_word(output, "\"");
    lm_output_call_escaped(output, key, n);
    lm_output_call_word(output, "\": ");
    output->schema = lm_output_schema(output, &lm_output_current(output)->name, key, n);
    output->route = (uint8_t)syntax->key_types[which];
    output->value_is_string = output->route == 's' || (output->route == '?' && lm_output_wants_text(output->schema));
    if (output->value_is_string) lm_output_call_word(output, "\"");
    return lm_output_go(output, LM_STATE_VALUE, after);
}

/* Whether what follows a closing tag may follow a value. */
static lm_match closes_value(lm_chat_output *output, const lm_xml_syntax *syntax, size_t after) {
    bool more;
    size_t which, n, spaces = lm_output_spaces(output, after, &more);
    if (spaces > SPACES_MAX) return LM_MATCH_YES;
    if (more) return LM_MATCH_MORE;
    if (after + spaces == lm_output_left(output)) return LM_MATCH_YES;
    lm_match matches[3] = {lm_output_match(output, after + spaces, syntax->parameter),
                           lm_output_match_any(output, after + spaces, syntax->call_closes, &which, &n),
                           lm_output_match_any(output, after + spaces, syntax->section_closes, &which, &n)};
    bool unsure = false;
    for (int i = 0; i < 3; i++) {
        if (matches[i] == LM_MATCH_YES) return LM_MATCH_YES;
        unsure = unsure || matches[i] == LM_MATCH_MORE;
    }
    return unsure ? LM_MATCH_MORE : LM_MATCH_NO;
}

static bool step_value(lm_chat_output *output, const lm_xml_syntax *syntax) {
    size_t which, n_close, found, end;
    for (;;) {
        found = lm_output_find(output, syntax->value_close, &which, &n_close);
        if (found == SIZE_MAX) break;
        lm_match match = closes_value(output, syntax, found + n_close);
        if (match == LM_MATCH_YES) break;
        if (match == LM_MATCH_MORE) {
            output->scan = found;
            found = SIZE_MAX;
            break;
        }
        output->scan = found + 1;
    }
    const char *rest = lm_output_rest(output);
    end = found == SIZE_MAX ? output->scan : found;
    if (syntax->trims_lines && end && rest[end - 1] == '\n' && !(found == SIZE_MAX && output->at_end)) end--;
    if (output->value_is_string) {
        lm_output_call_escaped(output, rest, end);
        if (found == SIZE_MAX) {
            output->pos += end;
            output->scan -= end;
            return false;
        }
        lm_output_call_word(output, "\"");
    } else {
        if (found == SIZE_MAX) {
            if (output->at_end) { /* what there is of it, as it is */
                lm_output_call_arguments(output, rest, lm_output_left(output));
                output->pos = output->buffer.size;
            }
            return false;
        }
        lm_output_value(output, output->schema, output->route == 'j', rest, end);
    }
    return lm_output_go(output, LM_STATE_SECTION, found + n_close);
}

static bool step_after(lm_chat_output *output, const lm_xml_syntax *syntax) {
    bool more;
    size_t which, n, spaces = lm_output_spaces(output, 0, &more);
    if (more) return false;
    lm_match close = lm_output_match_any(output, spaces, syntax->section_closes, &which, &n);
    if (close == LM_MATCH_YES) return lm_output_go(output, LM_STATE_TEXT, spaces + n);
    if (close == LM_MATCH_MORE) return false;
    return lm_output_go(output, LM_STATE_TEXT, 0);
}

bool lm_xml_step(lm_chat_output *output, const lm_xml_syntax *syntax) {
    bool stepped, advanced = lm_output_step_reasoning(output, syntax->starts, &stepped);
    size_t which, n;
    if (stepped) return advanced;
    switch ((lm_output_state)output->state) {
    case LM_STATE_TEXT:
        if (!lm_output_text_until(output, LM_OUTPUT_CONTENT, syntax->starts, &which, &n)) return false;
        return begin(output, syntax, which, n);
    case LM_STATE_HEADER: return step_name(output, syntax);
    case LM_STATE_SECTION: return step_between(output, syntax);
    case LM_STATE_ARGUMENTS: return step_key(output, syntax);
    case LM_STATE_VALUE: return step_value(output, syntax);
    case LM_STATE_AFTER: return step_after(output, syntax);
    default: return false;
    }
}

bool lm_xml_family_step(lm_chat_output *output) { return lm_xml_step(output, output->family->syntax); }
