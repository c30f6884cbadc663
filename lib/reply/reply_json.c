/* SPDX-License-Identifier: MIT
 * A call written as one JSON object. Its members may come in any order; arguments are handed out while they arrive when the
 * name came first. Until then nothing is consumed, so that an object that turns out to be no call can still become content. */
#include "reply_json.h"

#include <string.h>

enum { START, KEY_OR_END, KEY, KEY_STRING, COLON, VALUE, STREAM, AFTER };
enum { OTHER, NAME, ARGUMENTS, ID };
#define KEY_MAX 256 /* bytes of a key: a longer one is no call's, nor a tool's name */

static bool is_space(char c) { return c == ' ' || (c >= 9 && c <= 13); }

void lm_reply_json_begin(lm_reply *reply, bool needs_arguments, bool name_is_key) {
    lm_json_call *json = &reply->json;
    lm_str_clear(&json->text);
    lm_str_clear(&json->name);
    lm_str_clear(&json->id);
    json->state = START;
    json->has_name = json->has_arguments = json->committed = false;
    json->needs_arguments = needs_arguments;
    json->name_is_key = name_is_key;
    json->arguments_in_string = false;
    json->arguments_from = json->arguments_to = 0;
    reply->scan = 0;
}

/* Hand out bytes of JSON, control characters in strings escaped; scan follows them. Stops at the end of the value: the bytes
 * used, with *result. */
static size_t stream_json(lm_reply *reply, lm_json_scan *scan, const char *bytes, size_t n, lm_call_result *result) {
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
            lm_reply_call_arguments(reply, bytes + plain, at - plain);
            lm_reply_call_escaped(reply, bytes + at, 1);
            plain = at + 1;
        }
        at++;
        if (step == LM_SCAN_DONE) {
            *result = LM_CALL_DONE;
            break;
        }
    }
    lm_reply_call_arguments(reply, bytes + plain, at - plain);
    return at;
}

lm_call_result lm_reply_json_arguments(lm_reply *reply) {
    lm_call_result result;
    size_t left = lm_reply_left(reply);
    size_t used = stream_json(reply, &reply->json_scan, lm_reply_rest(reply), left, &result);
    reply->pos += used;
    if (result == LM_CALL_MORE && reply->at_end && lm_json_scan_may_end(&reply->json_scan)) return LM_CALL_DONE;
    return result;
}

/* The decoded text of a JSON string or the plain text of a scalar. */
static bool decode(lm_reply *reply, const char *bytes, size_t n, lm_str *out) {
    lm_arena arena;
    const lm_json *value;
    lm_arena_init(&arena, reply->env, LM_ARENA_UNLIMITED);
    lm_status status = lm_json_parse(&arena, bytes, n, 8, &value, NULL);
    bool text = status == LM_OK && (value->type == LM_JSON_STRING || value->type == LM_JSON_NUMBER);
    lm_str_clear(out);
    if (text) status = lm_str_append(out, value->text, value->count);
    if (status == LM_ERR_MEMORY) reply->status = status;
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

static void commit(lm_reply *reply) {
    lm_json_call *json = &reply->json;
    json->committed = true;
    lm_reply_call_begin(reply, lm_str_text(&json->name), json->name.size, lm_str_text(&json->id), json->id.size);
}

/* Hand out arguments that lie complete in the buffer. */
static void hand_out(lm_reply *reply, const char *bytes, size_t n) {
    lm_json_scan scan = {0};
    lm_call_result ignored;
    stream_json(reply, &scan, bytes, n, &ignored);
}

/* A value was read: bytes [from, to) behind pos. */
static bool take_value(lm_reply *reply, size_t from, size_t to) {
    lm_json_call *json = &reply->json;
    const char *bytes = lm_reply_rest(reply) + from;
    size_t n = to - from;
    switch (json->key) {
    case NAME:
        if (*bytes != '"') return !json->has_name ? *bytes == '{' : true; /* {"function": {...}}: not understood */
        if (!decode(reply, bytes, n, &json->name) ||
            !lm_reply_is_tool(reply, lm_str_text(&json->name), json->name.size))
            return false;
        json->has_name = true;
        return true;
    case ID:
        decode(reply, bytes, n, &json->id);
        if (json->committed && reply->call_open && reply->status == LM_OK)
            reply->status = lm_str_append(&lm_reply_current(reply)->id, lm_str_text(&json->id), json->id.size);
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
static lm_call_result finish(lm_reply *reply) {
    lm_json_call *json = &reply->json;
    if (!json->committed) {
        if (!json->has_name || (json->needs_arguments && !json->has_arguments)) return LM_CALL_FAILED;
        commit(reply);
        const char *bytes = lm_reply_rest(reply) + json->arguments_from;
        size_t n = json->arguments_to - json->arguments_from;
        if (!json->has_arguments)
            lm_reply_call_word(reply, "{}");
        else if (!json->arguments_in_string)
            hand_out(reply, bytes, n);
        else if (decode(reply, bytes, n, &json->text))
            lm_reply_call_arguments(reply, lm_str_text(&json->text), json->text.size);
    }
    lm_reply_call_end(reply, true);
    reply->pos += reply->scan;
    reply->scan = 0;
    return LM_CALL_DONE;
}

/* Stream the arguments: the name is known and they have begun like an object. */
static void begin_stream(lm_reply *reply) {
    lm_json_call *json = &reply->json;
    lm_call_result ignored;
    commit(reply);
    reply->pos += json->value_from;
    reply->scan -= json->value_from;
    memset(&json->scan, 0, sizeof json->scan);
    stream_json(reply, &json->scan, lm_reply_rest(reply), reply->scan, &ignored);
    reply->pos += reply->scan;
    reply->scan = 0;
    json->state = STREAM;
}

/* The object is broken, or the text ended in it. */
static lm_call_result stop(lm_reply *reply, bool is_cut) {
    const lm_json_call *json = &reply->json;
    if (reply->status != LM_OK) return LM_CALL_MORE;
    if (!json->committed) {
        bool whole = json->state == AFTER && json->has_name && json->has_arguments && !is_cut;
        if (whole) return finish(reply);
        if (!is_cut || !json->has_name || (json->needs_arguments && !reply->tools)) return LM_CALL_FAILED;
        commit(reply); /* a call of which no more than the name is sure */
        lm_reply_call_end(reply, false);
        reply->pos = reply->buffer.size;
        return LM_CALL_COMPLETE;
    }
    if (json->has_arguments && !is_cut) {
        lm_reply_call_end(reply, true);
        return LM_CALL_COMPLETE;
    }
    return LM_CALL_BROKEN;
}

static bool is_key_byte(char c) { return c == '"' || c == '}'; }

/* The steps of reading an object, a byte or a piece each; LM_CALL_MORE: go on. */
static lm_call_result step_stream(lm_reply *reply) {
    lm_json_call *json = &reply->json;
    lm_call_result result;
    reply->pos += stream_json(reply, &json->scan, lm_reply_rest(reply), lm_reply_left(reply), &result);
    if (result != LM_CALL_DONE) return result;
    json->has_arguments = true;
    json->state = AFTER;
    return LM_CALL_MORE;
}

static lm_call_result step_value(lm_reply *reply) {
    lm_json_call *json = &reply->json;
    const char *rest = lm_reply_rest(reply);
    char c = rest[reply->scan];
    if (is_space(c) && json->value_from == reply->scan) json->value_from++;
    lm_scan_result step = lm_json_scan_byte(&json->scan, c);
    if (step == LM_SCAN_BROKEN) return stop(reply, false);
    if (step != LM_SCAN_DONE_BEFORE) reply->scan++;
    if (step == LM_SCAN_GOES_ON) {
        bool object = json->key == ARGUMENTS && rest[json->value_from] == '{';
        if (object && json->has_name && reply->scan > json->value_from + 1 && is_key_byte(c)) begin_stream(reply);
        return LM_CALL_MORE;
    }
    if (!take_value(reply, json->value_from, reply->scan)) return stop(reply, false);
    json->state = AFTER;
    return LM_CALL_MORE;
}

static lm_call_result step_key(lm_reply *reply) {
    lm_json_call *json = &reply->json;
    char c = lm_reply_rest(reply)[reply->scan++];
    if (c != '"') {
        if (json->text.size >= KEY_MAX || (unsigned char)c < 32) return stop(reply, false);
        reply->status = lm_str_append_char(&json->text, c);
        return LM_CALL_MORE;
    }
    json->key = json->name_is_key ? ARGUMENTS : key_kind(json);
    if (json->name_is_key) {
        if (json->has_name || !lm_reply_is_tool(reply, lm_str_text(&json->text), json->text.size))
            return stop(reply, false);
        reply->status = lm_str_append(&json->name, lm_str_text(&json->text), json->text.size);
        json->has_name = true;
    }
    json->state = COLON;
    return LM_CALL_MORE;
}

static lm_call_result step_punctuation(lm_reply *reply) {
    lm_json_call *json = &reply->json;
    char c = lm_reply_rest(reply)[reply->scan++];
    if (is_space(c)) return LM_CALL_MORE;
    if (json->state == START && c == '{') {
        json->state = KEY_OR_END;
    } else if (json->state == AFTER && c == ',') {
        json->state = KEY;
    } else if ((json->state == AFTER || json->state == KEY_OR_END) && c == '}') {
        return finish(reply);
    } else if ((json->state == KEY || json->state == KEY_OR_END) && c == '"') {
        lm_str_clear(&json->text);
        json->state = KEY_STRING;
    } else if (json->state == COLON && c == ':') {
        memset(&json->scan, 0, sizeof json->scan);
        json->value_from = reply->scan;
        json->state = VALUE;
    } else {
        reply->scan--;
        return stop(reply, false);
    }
    return LM_CALL_MORE;
}

lm_call_result lm_reply_json_call(lm_reply *reply) {
    while (reply->status == LM_OK && reply->scan < lm_reply_left(reply)) {
        lm_call_result result;
        switch (reply->json.state) {
        case STREAM: result = step_stream(reply); break;
        case VALUE: result = step_value(reply); break;
        case KEY_STRING: result = step_key(reply); break;
        default: result = step_punctuation(reply);
        }
        if (result != LM_CALL_MORE) return result;
    }
    return reply->at_end ? stop(reply, reply->cut_off) : LM_CALL_MORE;
}
