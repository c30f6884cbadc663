/* SPDX-License-Identifier: MIT
 * Calls as tags. The value of a parameter that is text is handed out while it arrives; others when they are whole. A closing
 * tag inside of a value does not end it unless something that may follow a value follows. */
#include "reply_xml.h"

#include <string.h>

#define NAME_MAX_BYTES 512
#define SPACES_MAX 64

static bool begin_name(lm_reply *reply, size_t from) {
    reply->header_from = reply->scan = from;
    reply->state = LM_STATE_HEADER;
    return true;
}

/* A marker of starts, of n bytes, lies at pos. */
static bool begin(lm_reply *reply, const lm_xml_syntax *syntax, size_t which, size_t n) {
    size_t next, n_next = 0;
    bool more;
    if (which >= syntax->n_sections) return begin_name(reply, n);
    size_t spaces = lm_reply_spaces(reply, n, &more);
    const char *calls = lm_word(syntax->starts, syntax->n_sections);
    lm_match match = more ? LM_MATCH_MORE : lm_reply_match_any(reply, n + spaces, calls, &next, &n_next);
    if (match == LM_MATCH_MORE) return false;
    if (match == LM_MATCH_YES) return begin_name(reply, n + spaces + n_next);
    return lm_reply_give_up(reply, n);
}

static bool step_name(lm_reply *reply, const lm_xml_syntax *syntax) {
    size_t which, n_end, found = lm_reply_find(reply, syntax->name_ends, &which, &n_end);
    if (found == SIZE_MAX)
        return reply->at_end || reply->scan - reply->header_from > NAME_MAX_BYTES
                   ? lm_reply_give_up(reply, reply->header_from)
                   : false;
    const char *name = lm_reply_rest(reply) + reply->header_from;
    size_t n = found - reply->header_from;
    while (n && (name[n - 1] == ' ' || name[n - 1] == '"')) n--;
    while (n && (*name == ' ' || *name == '"')) name++, n--;
    if (n > NAME_MAX_BYTES || !lm_reply_is_tool(reply, name, n)) return lm_reply_give_up(reply, reply->header_from);
    lm_reply_call_begin(reply, name, n, "", 0);
    lm_reply_call_word(reply, "{");
    return lm_reply_go(reply, LM_STATE_SECTION, found + (syntax->name_ends_stay ? 0 : n_end));
}

static bool end_call(lm_reply *reply, lm_reply_state state, size_t n) {
    lm_reply_call_word(reply, "}");
    lm_reply_call_end(reply, true);
    return lm_reply_go(reply, state, n);
}

/* Between parameters. */
static bool step_between(lm_reply *reply, const lm_xml_syntax *syntax) {
    bool more;
    size_t which, n, spaces = lm_reply_spaces(reply, 0, &more);
    if (more) return false;
    if (reply->at_end && spaces == lm_reply_left(reply)) return false;
    lm_match close = lm_reply_match_any(reply, spaces, syntax->call_closes, &which, &n);
    if (close == LM_MATCH_YES) return end_call(reply, LM_STATE_AFTER, spaces + n);
    lm_match section = lm_reply_match_any(reply, spaces, syntax->section_closes, &which, &n);
    if (section == LM_MATCH_YES) return end_call(reply, LM_STATE_AFTER, spaces);
    if (close == LM_MATCH_MORE || section == LM_MATCH_MORE) return false;
    lm_match parameter = lm_reply_match(reply, spaces, syntax->parameter);
    if (parameter == LM_MATCH_YES) {
        reply->header_from = reply->scan = spaces + strlen(syntax->parameter);
        reply->state = LM_STATE_ARGUMENTS;
        return true;
    }
    if (parameter == LM_MATCH_MORE) return false;
    lm_reply_call_end(reply, false); /* something else: the rest is content */
    return lm_reply_go(reply, LM_STATE_TEXT, 0);
}

static bool break_off(lm_reply *reply) {
    lm_reply_call_end(reply, false);
    return lm_reply_go(reply, LM_STATE_TEXT, 0);
}

static bool step_key(lm_reply *reply, const lm_xml_syntax *syntax) {
    size_t which, n, found = lm_reply_find(reply, syntax->key_ends, &which, &n);
    if (found == SIZE_MAX)
        return reply->at_end || reply->scan - reply->header_from > NAME_MAX_BYTES ? break_off(reply) : false;
    size_t after = found + n;
    if (syntax->value_open) {
        bool more;
        size_t spaces = lm_reply_spaces(reply, after, &more);
        lm_match match = more ? LM_MATCH_MORE : lm_reply_match(reply, after + spaces, syntax->value_open);
        if (match == LM_MATCH_MORE) return false;
        if (match == LM_MATCH_NO) return break_off(reply);
        after += spaces + strlen(syntax->value_open);
    }
    if (syntax->trims_lines) { /* the line feed behind the tag is not part of the value */
        if (after == lm_reply_left(reply) && !reply->at_end) return false;
        if (lm_reply_match(reply, after, "\n") == LM_MATCH_YES) after++;
    }
    lm_match quote = syntax->quote ? lm_reply_match(reply, after, syntax->quote) : LM_MATCH_NO;
    if (quote == LM_MATCH_MORE) return false;
    reply->in_quote = quote == LM_MATCH_YES;
    if (reply->in_quote) after += strlen(syntax->quote);
    const char *key = lm_reply_rest(reply) + reply->header_from;
    n = found - reply->header_from;
    while (n && key[n - 1] == ' ') n--;
    if (reply->any_argument) lm_reply_call_word(reply, ", ");
    reply->any_argument = true;
    lm_reply_call_word(reply, "\"");
    lm_reply_call_escaped(reply, key, n);
    lm_reply_call_word(reply, "\": ");
    lm_str_clear(&reply->key);
    if (syntax->close_names_key && lm_str_append(&reply->key, key, n) != LM_OK) reply->status = LM_ERR_MEMORY;
    reply->schema = lm_reply_schema(reply, &lm_reply_current(reply)->name, key, n);
    reply->route = (uint8_t)syntax->key_types[which];
    reply->value_is_string = reply->route == 's' || (reply->route == '?' && lm_reply_wants_text(reply->schema));
    if (reply->value_is_string) lm_reply_call_word(reply, "\"");
    return lm_reply_go(reply, LM_STATE_VALUE, after);
}

/* Whether what follows a closing tag may follow a value. */
static lm_match closes_value(lm_reply *reply, const lm_xml_syntax *syntax, size_t after) {
    bool more;
    size_t which, n, spaces = lm_reply_spaces(reply, after, &more);
    if (spaces > SPACES_MAX) return LM_MATCH_YES;
    if (more) return LM_MATCH_MORE;
    if (after + spaces == lm_reply_left(reply)) return LM_MATCH_YES;
    lm_match matches[3] = {lm_reply_match(reply, after + spaces, syntax->parameter),
                           lm_reply_match_any(reply, after + spaces, syntax->call_closes, &which, &n),
                           lm_reply_match_any(reply, after + spaces, syntax->section_closes, &which, &n)};
    bool unsure = false;
    for (int i = 0; i < 3; i++) {
        if (matches[i] == LM_MATCH_YES) return LM_MATCH_YES;
        unsure = unsure || matches[i] == LM_MATCH_MORE;
    }
    return unsure ? LM_MATCH_MORE : LM_MATCH_NO;
}

/* The rest of a closing tag that names the key; *n grows by it. */
static lm_match names_key(const lm_reply *reply, size_t after, size_t *n) {
    size_t n_key = reply->key.size, left = lm_reply_left(reply) - after, seen = left < n_key ? left : n_key;
    const char *rest = lm_reply_rest(reply) + after;
    if (seen > 0 && memcmp(rest, lm_str_text(&reply->key), seen) != 0) return LM_MATCH_NO;
    if (left <= n_key) return reply->at_end ? LM_MATCH_NO : LM_MATCH_MORE;
    *n += n_key + 1;
    return rest[n_key] == '>' ? LM_MATCH_YES : LM_MATCH_NO;
}

static bool step_value(lm_reply *reply, const lm_xml_syntax *syntax) {
    size_t which, n_close, found, end;
    for (;;) {
        found = lm_reply_find(reply, reply->in_quote ? syntax->quote_close : syntax->value_close, &which, &n_close);
        if (found == SIZE_MAX) break;
        lm_match match = syntax->close_names_key ? names_key(reply, found + n_close, &n_close) : LM_MATCH_YES;
        if (match == LM_MATCH_YES) match = closes_value(reply, syntax, found + n_close);
        if (match == LM_MATCH_YES) break;
        if (match == LM_MATCH_MORE) {
            reply->scan = found;
            found = SIZE_MAX;
            break;
        }
        reply->scan = found + 1;
    }
    const char *rest = lm_reply_rest(reply);
    end = found == SIZE_MAX ? reply->scan : found;
    if (syntax->trims_lines && end && rest[end - 1] == '\n' && !(found == SIZE_MAX && reply->at_end)) end--;
    if (reply->value_is_string) {
        lm_reply_call_escaped(reply, rest, end);
        if (found == SIZE_MAX) {
            reply->pos += end;
            reply->scan -= end;
            return false;
        }
        lm_reply_call_word(reply, "\"");
    } else {
        if (found == SIZE_MAX) {
            if (reply->at_end) { /* what there is of it, as it is */
                lm_reply_call_arguments(reply, rest, lm_reply_left(reply));
                reply->pos = reply->buffer.size;
            }
            return false;
        }
        if (syntax->close_names_key)
            lm_reply_elements(reply, syntax, reply->schema, rest, end);
        else
            lm_reply_value(reply, reply->schema, reply->route == 'j', rest, end);
    }
    return lm_reply_go(reply, LM_STATE_SECTION, found + n_close);
}

static bool step_after(lm_reply *reply, const lm_xml_syntax *syntax) {
    bool more;
    size_t which, n, spaces = lm_reply_spaces(reply, 0, &more);
    if (more) return false;
    lm_match close = lm_reply_match_any(reply, spaces, syntax->section_closes, &which, &n);
    if (close == LM_MATCH_YES) return lm_reply_go(reply, LM_STATE_TEXT, spaces + n);
    if (close == LM_MATCH_MORE) return false;
    return lm_reply_go(reply, LM_STATE_TEXT, 0);
}

bool lm_xml_step(lm_reply *reply, const lm_xml_syntax *syntax) {
    bool stepped, advanced = lm_reply_step_reasoning(reply, syntax->starts, &stepped);
    size_t which, n;
    if (stepped) return advanced;
    switch ((lm_reply_state)reply->state) {
    case LM_STATE_TEXT:
        if (!lm_reply_text_until(reply, LM_REPLY_CONTENT, syntax->starts, &which, &n)) return false;
        return begin(reply, syntax, which, n);
    case LM_STATE_HEADER: return step_name(reply, syntax);
    case LM_STATE_SECTION: return step_between(reply, syntax);
    case LM_STATE_ARGUMENTS: return step_key(reply, syntax);
    case LM_STATE_VALUE: return step_value(reply, syntax);
    case LM_STATE_AFTER: return step_after(reply, syntax);
    default: return false;
    }
}

bool lm_xml_family_step(lm_reply *reply) { return lm_xml_step(reply, reply->family->syntax); }
