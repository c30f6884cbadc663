/* SPDX-License-Identifier: MIT
 * A call written as one JSON object. Its members may come in any order; arguments are handed out while they arrive when the
 * name came first. Until then nothing is consumed, so that an object that turns out to be no call can still become content. */
#include "output_json.h"

#include <string.h>

enum { START, KEY_OR_END, KEY, KEY_STRING, COLON, VALUE, STREAM, AFTER, READ };
enum { OTHER, NAME, ARGUMENTS, ID };

static bool is_space(char c) { return c == ' ' || (c >= 9 && c <= 13); }

void lm_output_json_begin(lm_chat_output *output, bool needs_arguments, bool name_is_key) {
    lm_json_call *json = &output->json;
    lm_str_clear(&json->text);
    lm_str_clear(&json->name);
    lm_str_clear(&json->id);
    json->state = START;
    json->has_name = json->has_arguments = json->committed = false;
    json->needs_arguments = needs_arguments;
    json->name_is_key = name_is_key;
    json->arguments_in_string = false;
    json->arguments_from = json->arguments_to = 0;
    output->scan = 0;
}

size_t lm_output_json_stream(lm_chat_output *output, lm_json_scan *scan, const char *bytes, size_t n,
                             lm_call_result *result) {
    size_t plain = 0, at = 0;
    *result = LM_CALL_MORE;
    while (at < n) {
        bool raw_control = (unsigned char)bytes[at] < 32 && lm_json_scan_in_string(scan);
        lm_scan_result step = lm_json_scan_byte(scan, bytes[at]);
        if (step == LM_SCAN_BROKEN || step == LM_SCAN_DONE_BEFORE) {
            *result = step == LM_SCAN_BROKEN ? LM_CALL_BROKEN : LM_CALL_DONE;
            break;
        }
        if (raw_control) {
            lm_output_call_arguments(output, bytes + plain, at - plain);
            lm_output_call_escaped(output, bytes + at, 1);
            plain = at + 1;
        }
        at++;
        if (step == LM_SCAN_DONE) {
            *result = LM_CALL_DONE;
            break;
        }
    }
    lm_output_call_arguments(output, bytes + plain, at - plain);
    return at;
}

lm_call_result lm_output_json_arguments(lm_chat_output *output) {
    lm_call_result result;
    size_t left = lm_output_left(output);
    size_t used = lm_output_json_stream(output, &output->json_scan, lm_output_rest(output), left, &result);
    output->pos += used;
    if (result == LM_CALL_MORE && output->at_end && lm_json_scan_may_end(&output->json_scan)) return LM_CALL_DONE;
    return result;
}

/* The decoded text of a JSON string or the plain text of a scalar. */
static bool decode(lm_chat_output *output, const char *bytes, size_t n, lm_str *out) {
    lm_arena arena;
    const lm_json *value;
    lm_arena_init(&arena, output->env, LM_ARENA_UNLIMITED);
    lm_status status = lm_json_parse(&arena, bytes, n, 8, &value, NULL);
    bool text = status == LM_OK && (value->type == LM_JSON_STRING || value->type == LM_JSON_NUMBER);
    lm_str_clear(out);
    if (text) status = lm_str_append(out, value->text, value->count);
    if (status == LM_ERR_MEMORY) output->status = status;
    lm_arena_free(&arena);
    return text;
}

static uint8_t key_kind(const lm_json_call *json) {
    static const struct {
        const char *name;
        uint8_t kind;
    } keys[] = {{"name", NAME},
                {"tool_name", NAME},
                {"function", NAME},
                {"arguments", ARGUMENTS},
                {"parameters", ARGUMENTS},
                {"args", ARGUMENTS},
                {"id", ID},
                {"tool_call_id", ID},
                {"call_id", ID}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(keys[i].name, lm_str_text(&json->text)) == 0) return keys[i].kind;
    return OTHER;
}

static void commit(lm_chat_output *output) {
    lm_json_call *json = &output->json;
    json->committed = true;
    lm_output_call_begin(output, lm_str_text(&json->name), json->name.size, lm_str_text(&json->id), json->id.size);
}

/* Hand out arguments that lie complete in the buffer. */
static void hand_out(lm_chat_output *output, const char *bytes, size_t n) {
    lm_json_scan scan = {0};
    lm_call_result ignored;
    lm_output_json_stream(output, &scan, bytes, n, &ignored);
}

/* A value was read: bytes [from, to) behind pos. */
static bool take_value(lm_chat_output *output, size_t from, size_t to) {
    lm_json_call *json = &output->json;
    const char *bytes = lm_output_rest(output) + from;
    size_t n = to - from;
    switch (json->key) {
    case NAME:
        if (*bytes != '"') return !json->has_name ? *bytes == '{' : true; /* {"function": {...}}: not understood */
        if (!decode(output, bytes, n, &json->name) ||
            !lm_output_is_tool(output, lm_str_text(&json->name), json->name.size))
            return false;
        json->has_name = true;
        return true;
    case ID:
        decode(output, bytes, n, &json->id);
        if (json->committed && output->call_open && output->status == LM_OK)
            output->status = lm_str_append(&lm_output_current(output)->id, lm_str_text(&json->id), json->id.size);
        return true;
    case ARGUMENTS:
        if (*bytes == '"')
            json->arguments_in_string = true;
        else if (*bytes == 'n')
            return true; /* null: none */
        else if (*bytes != '{')
            return false;
        json->has_arguments = true;
        json->arguments_from = from;
        json->arguments_to = to;
        return true;
    default: return true;
    }
}

/* The object ended. */
static lm_call_result finish(lm_chat_output *output) {
    lm_json_call *json = &output->json;
    if (!json->committed) {
        if (!json->has_name || (json->needs_arguments && !json->has_arguments)) return LM_CALL_FAILED;
        commit(output);
        const char *bytes = lm_output_rest(output) + json->arguments_from;
        size_t n = json->arguments_to - json->arguments_from;
        if (!json->has_arguments)
            lm_output_call_word(output, "{}");
        else if (!json->arguments_in_string)
            hand_out(output, bytes, n);
        else if (decode(output, bytes, n, &json->text))
            lm_output_call_arguments(output, lm_str_text(&json->text), json->text.size);
    }
    lm_output_call_end(output, true);
    output->pos += output->scan;
    output->scan = 0;
    return LM_CALL_DONE;
}

/* Stream the arguments: the name is known and they have begun like an object. */
static void begin_stream(lm_chat_output *output) {
    lm_json_call *json = &output->json;
    lm_call_result ignored;
    commit(output);
    output->pos += json->value_from;
    output->scan -= json->value_from;
    memset(&json->scan, 0, sizeof json->scan);
    lm_output_json_stream(output, &json->scan, lm_output_rest(output), output->scan, &ignored);
    output->pos += output->scan;
    output->scan = 0;
    json->state = STREAM;
}

static bool is_key_byte(char c) { return c == '"' || c == '}'; }

lm_call_result lm_output_json_call(lm_chat_output *output) {
    lm_json_call *json = &output->json;
    lm_call_result result;
    while (output->status == LM_OK && output->scan < lm_output_left(output)) {
        const char *rest = lm_output_rest(output);
        char c = rest[output->scan];
        if (json->state == STREAM) {
            output->pos += lm_output_json_stream(output, &json->scan, rest, lm_output_left(output), &result);
            if (result == LM_CALL_BROKEN) return result;
            if (result == LM_CALL_DONE) {
                json->has_arguments = true;
                json->state = AFTER;
            }
            continue;
        }
        if (json->state == VALUE) {
            if (is_space(c) && json->value_from == output->scan) json->value_from++;
            lm_scan_result step = lm_json_scan_byte(&json->scan, c);
            if (step == LM_SCAN_BROKEN) break;
            if (step != LM_SCAN_DONE_BEFORE) output->scan++;
            bool object = json->key == ARGUMENTS && rest[json->value_from] == '{';
            if (object && json->has_name && output->scan > json->value_from + 1 && is_key_byte(c) &&
                step == LM_SCAN_GOES_ON) {
                begin_stream(output);
                continue;
            }
            if (step == LM_SCAN_GOES_ON) continue;
            if (!take_value(output, json->value_from, output->scan)) break;
            json->state = AFTER;
            continue;
        }
        if (json->state == KEY_STRING) {
            output->scan++;
            if (c == '"') {
                json->key = json->name_is_key ? ARGUMENTS : key_kind(json);
                if (json->name_is_key) {
                    if (json->has_name || !lm_output_is_tool(output, lm_str_text(&json->text), json->text.size)) break;
                    output->status = lm_str_append(&json->name, lm_str_text(&json->text), json->text.size);
                    json->has_name = true;
                }
                json->state = COLON;
            } else if (json->text.size < 256 && (unsigned char)c >= 32) {
                if (output->status == LM_OK) output->status = lm_str_append_char(&json->text, c);
            } else {
                break;
            }
            continue;
        }
        output->scan++;
        if (is_space(c)) continue;
        if (json->state == START && c == '{')
            json->state = KEY_OR_END;
        else if (json->state == AFTER && c == ',')
            json->state = KEY;
        else if ((json->state == AFTER || json->state == KEY_OR_END) && c == '}')
            return finish(output);
        else if ((json->state == KEY || json->state == KEY_OR_END) && c == '"') {
            lm_str_clear(&json->text);
            json->state = KEY_STRING;
        } else if (json->state == COLON && c == ':') {
            memset(&json->scan, 0, sizeof json->scan);
            json->value_from = output->scan;
            json->state = VALUE;
        } else {
            output->scan--;
            break;
        }
    }
    if (output->status != LM_OK) return LM_CALL_MORE;
    if (output->scan >= lm_output_left(output) && !output->at_end) return LM_CALL_MORE;
    /* Broken, or cut off. */
    bool is_cut = output->at_end && output->cut_off;
    if (!json->committed) {
        bool whole = json->state == AFTER && json->has_name && json->has_arguments && !is_cut;
        return whole ? finish(output) : LM_CALL_FAILED;
    }
    if (json->has_arguments && !is_cut) {
        lm_output_call_end(output, true);
        return LM_CALL_COMPLETE;
    }
    return LM_CALL_BROKEN;
}
