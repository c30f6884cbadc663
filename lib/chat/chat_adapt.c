/* SPDX-License-Identifier: MIT
 * Messages as applications send them, rewritten to what a template takes (chat_needs.h). Nothing is left out: what has no place
 * of its own goes where the model reads it. */
#include <string.h>

#include "../base/format.h"
#include "../base/json_write.h"
#include "../reply/reply_family.h"
#include "chat_needs.h"

typedef struct adapter {
    const lm_chat_needs *needs;
    lm_arena *arena;
    lm_json *items; /* the messages written so far */
    int32_t *origins;
    size_t n, capacity;
    int32_t at;     /* the message that is read */
    lm_str pending; /* system text that waits for a user message */
    int32_t pending_at;
    lm_str text; /* scratch */
    lm_error *error;
    lm_status status;
} adapter;

static bool fail(adapter *a, lm_status status) {
    if (a->status == LM_OK) a->status = status == LM_ERR_MEMORY ? lm_error_memory(a->error) : status;
    return false;
}

static lm_json make_text(adapter *a, const char *text, size_t n) {
    lm_json json = {.type = LM_JSON_STRING, .count = n};
    json.text = lm_arena_copy(a->arena, text, n);
    if (!json.text) {
        fail(a, LM_ERR_MEMORY);
        json.count = 0;
        json.text = "";
    }
    return json;
}

static lm_json take_text(adapter *a, lm_str *text) {
    if (text->status != LM_OK) fail(a, text->status);
    lm_json json = make_text(a, lm_str_text(text), text->size);
    lm_str_clear(text);
    return json;
}

/* An object with room for more members. */
static lm_json_member *make_object(adapter *a, lm_json *out, size_t capacity) {
    lm_json_member *members = lm_arena_alloc_array(a->arena, capacity + 1, sizeof *members);
    if (!members) fail(a, LM_ERR_MEMORY);
    *out = (lm_json){.type = LM_JSON_OBJECT};
    out->members = members;
    return members;
}

static void set(lm_json *object, const char *name, lm_json value) {
    lm_json_member *members = (lm_json_member *)(uintptr_t)object->members; /* made here, and writable */
    size_t n = strlen(name), i = 0;
    if (!members) return;
    while (i < object->count && !(members[i].name_size == n && memcmp(members[i].name, name, n) == 0)) i++;
    members[i] = (lm_json_member){name, n, value};
    if (i == object->count) object->count++;
}

static void unset(lm_json *object, const char *name) {
    lm_json_member *members = (lm_json_member *)(uintptr_t)object->members;
    size_t n = strlen(name), kept = 0;
    for (size_t i = 0; members && i < object->count; i++)
        if (members[i].name_size != n || memcmp(members[i].name, name, n) != 0) members[kept++] = members[i];
    object->count = kept;
}

static const lm_json *get(const lm_json *object, const char *name) {
    size_t n = strlen(name);
    for (size_t i = lm_json_is(object, LM_JSON_OBJECT) ? object->count : 0; i-- > 0;)
        if (object->members[i].name_size == n && memcmp(object->members[i].name, name, n) == 0)
            return &object->members[i].value;
    return NULL;
}

/* A copy that has members of its own, with room for a few more. */
static bool copy_object(adapter *a, const lm_json *from, lm_json *out) {
    lm_json_member *members = make_object(a, out, from->count + 6);
    if (!members) return false;
    if (from->count > 0) memcpy(members, from->members, from->count * sizeof *members);
    out->count = from->count;
    return true;
}

static lm_json make_list(adapter *a, const lm_json *items, size_t n) {
    lm_json list = {.type = LM_JSON_ARRAY, .count = n};
    lm_json *copy = lm_arena_alloc_array(a->arena, n ? n : 1, sizeof *copy);
    if (copy && n > 0)
        memcpy(copy, items, n * sizeof *copy);
    else if (!copy && !fail(a, LM_ERR_MEMORY))
        list.count = 0;
    list.items = copy;
    return list;
}

static void set_text(adapter *a, lm_json *object, const char *name, const char *text) {
    set(object, name, make_text(a, text, strlen(text)));
}

/* The text becomes the content of the message. */
static void set_content(adapter *a, lm_json *message, lm_str *text) { set(message, "content", take_text(a, text)); }

static void set_content_list(adapter *a, lm_json *message, const lm_json *items, size_t n) {
    set(message, "content", make_list(a, items, n));
}

static lm_json make_part(adapter *a, const char *type, lm_json value) {
    lm_json part;
    if (make_object(a, &part, 2)) {
        set_text(a, &part, "type", type);
        set(&part, type, value);
    }
    return part;
}

/* The texts of a list of parts, a line each. */
static bool join_parts(adapter *a, const lm_json *parts, lm_str *out) {
    for (size_t i = 0; i < parts->count; i++) {
        const lm_json *part = &parts->items[i], *text = lm_json_get(part, "text");
        if (lm_json_is(part, LM_JSON_STRING)) text = part;
        if (!lm_json_is(text, LM_JSON_STRING)) {
            lm_error_set(a->error, LM_ERR_UNSUPPORTED, "messages[%d]: the template takes no part of the type \"%s\"",
                         (int)a->at, lm_json_text(lm_json_get(part, "type"), "?"));
            return fail(a, LM_ERR_UNSUPPORTED);
        }
        if (i > 0) lm_str_append_char(out, '\n');
        lm_str_append(out, text->text, text->count);
    }
    return true;
}

static bool is_space(char c) { return c == ' ' || (c >= 9 && c <= 13); }

static lm_json trim(adapter *a, const lm_json *text) {
    size_t from = 0, to = text->count;
    while (from < to && is_space(text->text[from])) from++;
    while (to > from && is_space(text->text[to - 1])) to--;
    return make_text(a, text->text + from, to - from);
}

/* Content without white space around it; of parts, around each. */
static bool trim_content(adapter *a, lm_json *message) {
    const lm_json *content = get(message, "content");
    if (lm_json_is(content, LM_JSON_STRING)) {
        set(message, "content", trim(a, content));
    } else if (lm_json_is(content, LM_JSON_ARRAY)) {
        lm_json list = make_list(a, content->items, content->count);
        for (size_t i = 0; i < list.count; i++) {
            const lm_json *text = lm_json_get(&list.items[i], "text");
            lm_json part;
            if (!lm_json_is(text, LM_JSON_STRING) || !copy_object(a, &list.items[i], &part)) continue;
            set(&part, "text", trim(a, text));
            ((lm_json *)(uintptr_t)list.items)[i] = part;
        }
        set(message, "content", list);
    }
    return a->status == LM_OK;
}

/* An answer as the model wrote it, marks and all, which Harmony's template refuses: its reasoning and its content. */
static bool adapt_channels(adapter *a, lm_json *message) {
    const lm_json *content = get(message, "content");
    if (!a->needs->thinking_field || !lm_json_is(content, LM_JSON_STRING) || !strstr(content->text, "<|channel|>"))
        return true;
    lm_reply reply;
    lm_status status = lm_reply_init(&reply, a->text.env, &lm_family_harmony, "", 0, "[]", 2, NULL);
    if (status != LM_OK) return fail(a, status);
    status = lm_reply_feed(&reply, content->text, content->count);
    if (status == LM_OK) status = lm_reply_finish(&reply, false);
    if (status == LM_OK) {
        set(message, "content", make_text(a, lm_str_text(&reply.content), reply.content.size));
        if (reply.reasoning.size > 0 && !get(message, "reasoning_content"))
            set(message, "reasoning_content", make_text(a, lm_str_text(&reply.reasoning), reply.reasoning.size));
    }
    lm_reply_free(&reply);
    return status == LM_OK ? a->status == LM_OK : fail(a, status);
}

/* Content in the form that the template takes from this role. */
static bool adapt_content(adapter *a, lm_json *message, int role) {
    const lm_json *content = get(message, "content");
    if (!content || content->type == LM_JSON_NULL) {
        if (get(message, "tool_calls")) set_text(a, message, "content", "");
    } else if (content->type == LM_JSON_ARRAY && !a->needs->parts[role]) {
        if (!join_parts(a, content, &a->text)) return false;
        set_content(a, message, &a->text);
    } else if (content->type == LM_JSON_STRING && !a->needs->text[role] && a->needs->parts[role]) {
        lm_json part = make_part(a, "text", *content);
        set_content_list(a, message, &part, 1);
    }
    return (!a->needs->trimmed || trim_content(a, message)) && a->status == LM_OK;
}

/* Nine letters and digits that depend on nothing but the id. */
static lm_json short_id(adapter *a, const lm_json *id) {
    static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    char out[9];
    uint64_t hash = 1469598103934665603u;
    bool good = id->count == 9;
    for (size_t i = 0; i < id->count; i++) {
        hash = (hash ^ (uint8_t)id->text[i]) * 1099511628211u;
        good = good && id->text[i] && strchr(letters, id->text[i]);
    }
    if (good || a->needs->long_ids) return *id;
    for (size_t i = 0; i < 9; i++, hash /= 62) out[i] = letters[hash % 62];
    return make_text(a, out, 9);
}

static void adapt_id(adapter *a, lm_json *object, const char *name) {
    const lm_json *id = get(object, name);
    if (lm_json_is(id, LM_JSON_STRING)) set(object, name, short_id(a, id));
}

static bool adapt_arguments(adapter *a, lm_json *function) {
    const lm_json *arguments = get(function, "arguments"), *object;
    if (!arguments) return true;
    if (a->needs->argument_objects && arguments->type == LM_JSON_STRING) {
        lm_status status =
            lm_json_parse(a->arena, arguments->text, arguments->count, LM_JSON_DEPTH_DEFAULT, &object, NULL);
        if (status == LM_ERR_MEMORY) return fail(a, status);
        if (status == LM_OK) set(function, "arguments", *object); /* a broken call is shown as it was */
    } else if (!a->needs->argument_objects && arguments->type != LM_JSON_STRING) {
        static const lm_json_style style = {.item_separator = ", ", .name_separator = ": "};
        if (lm_json_print(&a->text, arguments, &style) != LM_OK) return fail(a, LM_ERR_MEMORY);
        set(function, "arguments", take_text(a, &a->text));
    }
    return a->status == LM_OK;
}

/* A call as the models that know none by their template were shown them. */
static bool write_call(adapter *a, const lm_json *function) {
    const lm_json *name = get(function, "name"), *arguments = get(function, "arguments");
    lm_json_writer w;
    lm_str_append_text(&a->text, a->text.size ? "\n<tool_call>\n" : "<tool_call>\n");
    lm_json_writer_init(&w, &a->text, &(lm_json_style){.item_separator = ", ", .name_separator = ": "});
    lm_json_write_begin_object(&w);
    lm_json_write_name(&w, "name");
    lm_json_write_value(&w, name ? name : &(lm_json){.type = LM_JSON_NULL});
    lm_json_write_name(&w, "arguments");
    if (lm_json_is(arguments, LM_JSON_STRING))
        lm_json_write_raw(&w, arguments->text, arguments->count);
    else
        lm_json_write_value(&w, arguments ? arguments : &(lm_json){.type = LM_JSON_NULL});
    lm_json_write_end(&w);
    lm_str_append_text(&a->text, "\n</tool_call>");
    return a->text.status == LM_OK || fail(a, LM_ERR_MEMORY);
}

static bool adapt_calls(adapter *a, lm_json *message) {
    const lm_json *calls = get(message, "tool_calls"), *content = get(message, "content");
    if (!lm_json_is(calls, LM_JSON_ARRAY)) return true;
    lm_json list = make_list(a, calls->items, calls->count);
    lm_json *items = (lm_json *)(uintptr_t)list.items;
    if (!a->needs->calls && lm_json_is(content, LM_JSON_STRING)) lm_str_append(&a->text, content->text, content->count);
    for (size_t i = 0; i < list.count; i++) {
        const lm_json *function = lm_json_get(&items[i], "function");
        lm_json own_call, own_function;
        if (!lm_json_is(&items[i], LM_JSON_OBJECT)) continue;
        if (!copy_object(a, &items[i], &own_call)) return false;
        adapt_id(a, &own_call, "id");
        if (!lm_json_is(function, LM_JSON_OBJECT)) function = &own_call;
        if (!copy_object(a, function, &own_function)) return false;
        if (!a->needs->calls) {
            if (!write_call(a, &own_function)) return false;
            continue;
        }
        if (!adapt_arguments(a, &own_function)) return false;
        if (function == &own_call)
            own_call = own_function;
        else
            set(&own_call, "function", own_function);
        items[i] = own_call;
    }
    if (a->needs->calls) {
        set(message, "tool_calls", list);
    } else {
        set_content(a, message, &a->text);
        unset(message, "tool_calls");
    }
    return a->status == LM_OK;
}

static bool adapt_reasoning(adapter *a, lm_json *message) {
    const lm_json *reasoning = get(message, "reasoning_content"), *content = get(message, "content");
    if (!lm_json_is(reasoning, LM_JSON_STRING) || reasoning->count == 0) return true;
    if (a->needs->thinking_field) {
        set(message, "thinking", *reasoning);
        if (get(message, "tool_calls")) unset(message, "content");
    } else if (a->needs->thinking_parts && lm_json_is(content, LM_JSON_STRING)) {
        lm_json parts[2] = {make_part(a, "thinking", *reasoning), make_part(a, "text", *content)};
        set_content_list(a, message, parts, content->count > 0 ? 2 : 1);
    }
    return a->status == LM_OK;
}

/* An answer of nothing, which some templates refuse as a text but not as a part. */
static bool adapt_nothing(adapter *a, lm_json *message) {
    const lm_json *content = get(message, "content");
    bool nothing = lm_json_is(content, LM_JSON_STRING) && content->count == 0 && !get(message, "tool_calls");
    if (nothing && !a->needs->empty_answers && a->needs->parts[LM_ROLE_ASSISTANT]) {
        lm_json part = make_part(a, "text", *content);
        set_content_list(a, message, &part, 1);
    }
    return a->status == LM_OK;
}

static bool add_message(adapter *a, lm_json message, int32_t origin) {
    lm_json *last = a->n > 0 ? &a->items[a->n - 1] : NULL;
    const lm_json *role = get(&message, "role"), *content = get(&message, "content");
    if (last && !a->needs->repeats && role && lm_json_is(get(last, "role"), LM_JSON_STRING) &&
        role->type == LM_JSON_STRING && role->count == get(last, "role")->count &&
        memcmp(role->text, get(last, "role")->text, role->count) == 0 && !lm_json_is_text(role, "tool") &&
        lm_json_is(content, LM_JSON_STRING) && lm_json_is(get(last, "content"), LM_JSON_STRING) &&
        !get(last, "tool_calls")) {
        const lm_json *before = get(last, "content");
        lm_str_append(&a->text, before->text, before->count);
        lm_str_append_char(&a->text, '\n');
        lm_str_append(&a->text, content->text, content->count);
        lm_json joined = take_text(a, &a->text);
        set(&message, "content", joined);
        *last = message;
        return a->status == LM_OK;
    }
    if (a->n == a->capacity) return fail(a, LM_ERR_MEMORY);
    a->items[a->n] = message;
    a->origins[a->n++] = origin;
    return true;
}

/* System text waits for the next user message, which it goes in front of. */
static bool hold_system(adapter *a, const lm_json *content) {
    if (a->pending.size > 0)
        lm_str_append_char(&a->pending, '\n');
    else
        a->pending_at = a->at;
    if (lm_json_is(content, LM_JSON_STRING))
        lm_str_append(&a->pending, content->text, content->count);
    else if (lm_json_is(content, LM_JSON_ARRAY) && !join_parts(a, content, &a->pending))
        return false;
    return a->pending.status == LM_OK || fail(a, LM_ERR_MEMORY);
}

static bool release_system(adapter *a, lm_json *user) {
    const lm_json *content = get(user, "content");
    if (a->pending.size == 0) return true;
    if (lm_json_is(content, LM_JSON_ARRAY)) {
        lm_json *parts = lm_arena_alloc_array(a->arena, content->count + 1, sizeof *parts);
        if (!parts) return fail(a, LM_ERR_MEMORY);
        parts[0] = make_part(a, "text", take_text(a, &a->pending));
        if (content->count > 0) memcpy(parts + 1, content->items, content->count * sizeof *parts);
        set_content_list(a, user, parts, content->count + 1);
    } else {
        if (lm_json_is(content, LM_JSON_STRING) && content->count > 0) {
            lm_str_append_char(&a->pending, '\n');
            lm_str_append(&a->pending, content->text, content->count);
        }
        set_content(a, user, &a->pending);
    }
    return a->status == LM_OK;
}

static bool add_user_text(adapter *a, lm_json text, int32_t origin) {
    lm_json user;
    if (!make_object(a, &user, 4)) return false;
    set_text(a, &user, "role", "user");
    set(&user, "content", text);
    return adapt_content(a, &user, LM_ROLE_USER) && add_message(a, user, origin);
}

/* A result for a template that does not know them: into the assistant's message, or said by the user. */
static bool add_result(adapter *a, const lm_json *message) {
    const lm_json *content = get(message, "content"), *name = get(message, "name"), *parsed;
    lm_json *last = a->n > 0 ? &a->items[a->n - 1] : NULL;
    const lm_json *calls = last ? get(last, "tool_calls") : NULL, *id = get(message, "tool_call_id");
    if (lm_json_is(content, LM_JSON_ARRAY) && !join_parts(a, content, &a->text)) return false;
    if (lm_json_is(content, LM_JSON_STRING)) lm_str_append(&a->text, content->text, content->count);
    for (size_t i = 0; !name && id && lm_json_is(calls, LM_JSON_ARRAY) && i < calls->count; i++) {
        const lm_json *other = get(&calls->items[i], "id"), *function = get(&calls->items[i], "function");
        if (lm_json_is(other, LM_JSON_STRING) && lm_json_is_text(id, other->text) && function)
            name = get(function, "name");
    }
    if (a->needs->tool_responses && calls) {
        const lm_json *before = get(last, "tool_responses");
        size_t n = before ? before->count : 0;
        lm_json *list = lm_arena_alloc_array(a->arena, n + 1, sizeof *list);
        if (!list || !make_object(a, &list[n], 2)) return fail(a, LM_ERR_MEMORY);
        if (n > 0) memcpy(list, before->items, n * sizeof *list);
        set(&list[n], "name", name ? *name : make_text(a, "", 0));
        lm_json response = take_text(a, &a->text);
        if (lm_json_parse(a->arena, response.text, response.count, LM_JSON_DEPTH_DEFAULT, &parsed, NULL) == LM_OK)
            response = *parsed;
        set(&list[n], "response", response);
        set(last, "tool_responses", make_list(a, list, n + 1));
        return a->status == LM_OK;
    }
    lm_str said;
    lm_str_init(&said, a->text.env, SIZE_MAX);
    lm_str_append_text(&said, "<tool_response>\n");
    lm_str_append(&said, lm_str_text(&a->text), a->text.size);
    lm_str_append_text(&said, "\n</tool_response>");
    lm_str_clear(&a->text);
    lm_json text = take_text(a, &said);
    lm_str_free(&said);
    return add_user_text(a, text, a->at);
}

static int role_of(const lm_json *role) {
    static const char names[LM_N_ROLES][10] = {"system", "user", "assistant", "tool"};
    for (int i = 0; i < LM_N_ROLES; i++)
        if (lm_json_is_text(role, names[i])) return i;
    return -1;
}

static bool take_message(adapter *a, const lm_json *from) {
    lm_json message;
    if (!lm_json_is(from, LM_JSON_OBJECT)) return add_message(a, *from, a->at);
    if (!copy_object(a, from, &message)) return false;
    const lm_json *given = get(&message, "role");
    if (lm_json_is_text(given, "function")) set_text(a, &message, "role", "tool");
    if (lm_json_is_text(given, "developer") && !a->needs->developer) set_text(a, &message, "role", "system");
    int role = role_of(get(&message, "role"));
    if (role < 0) return add_message(a, message, a->at);
    if (role == LM_ROLE_SYSTEM && !(a->n == 0 && a->pending.size == 0 ? a->needs->system : a->needs->late_system))
        return hold_system(a, get(&message, "content"));
    if (role == LM_ROLE_TOOL && !a->needs->results) return add_result(a, &message);
    if (role == LM_ROLE_ASSISTANT && !adapt_channels(a, &message)) return false;
    if (!adapt_content(a, &message, role)) return false;
    if (role == LM_ROLE_USER && !release_system(a, &message)) return false;
    if (role == LM_ROLE_TOOL) adapt_id(a, &message, "tool_call_id");
    if (role == LM_ROLE_ASSISTANT &&
        (!adapt_calls(a, &message) || !adapt_reasoning(a, &message) || !adapt_nothing(a, &message)))
        return false;
    return add_message(a, message, a->at);
}

/* Results in the order of their calls: where the result of the k-th call of the message before from is, from on. */
static size_t next_result(const lm_json *messages, size_t from, size_t n, size_t k) {
    const lm_json *calls = lm_json_get(&messages->items[from - 1], "tool_calls");
    const lm_json *id = lm_json_get(lm_json_at(calls, k), "id");
    for (size_t i = from; id && i < from + n; i++)
        if (lm_json_is(id, LM_JSON_STRING) &&
            lm_json_is_text(lm_json_get(&messages->items[i], "tool_call_id"), id->text))
            return i;
    return SIZE_MAX;
}

static bool take_messages(adapter *a, const lm_json *messages) {
    for (size_t i = 0; i < messages->count; i++) {
        size_t n = 0;
        a->at = (int32_t)i;
        if (i > 0 && lm_json_is(lm_json_get(&messages->items[i - 1], "tool_calls"), LM_JSON_ARRAY))
            while (i + n < messages->count && lm_json_is_text(lm_json_get(&messages->items[i + n], "role"), "tool"))
                n++;
        const lm_json *calls = n > 1 ? lm_json_get(&messages->items[i - 1], "tool_calls") : NULL;
        bool ordered = calls && calls->count == n;
        for (size_t k = 0; ordered && k < n; k++) ordered = next_result(messages, i, n, k) != SIZE_MAX;
        if (!ordered) {
            if (!take_message(a, &messages->items[i])) return false;
            continue;
        }
        for (size_t k = 0; k < n; k++) {
            size_t at = next_result(messages, i, n, k);
            a->at = (int32_t)at;
            if (!take_message(a, &messages->items[at])) return false;
        }
        i += n - 1;
    }
    return true;
}

/* Tools that the template would not show, as system text. */
static bool describe_tools(adapter *a, const lm_json *tools) {
    lm_str_append_text(&a->pending, "You can call functions. These exist, one JSON object a line:\n<tools>\n");
    for (size_t i = 0; i < tools->count; i++) {
        if (lm_json_print(&a->pending, &tools->items[i], NULL) != LM_OK) return fail(a, LM_ERR_MEMORY);
        lm_str_append_char(&a->pending, '\n');
    }
    lm_str_append_text(
        &a->pending,
        "</tools>\nTo call one, write its name and its arguments like this, and nothing after it:\n<tool_call>\n"
        "{\"name\": \"function's name\", \"arguments\": {\"name of an argument\": its value}}\n</tool_call>\n"
        "The result comes back between <tool_response> and </tool_response>.");
    return a->pending.status == LM_OK || fail(a, LM_ERR_MEMORY);
}

static bool take_tools(adapter *a, const lm_json *messages, size_t *first) {
    const lm_json *role = lm_json_get(lm_json_at(messages, 0), "role"),
                  *content = lm_json_get(lm_json_at(messages, 0), "content");
    lm_json system;
    if (lm_json_is_text(role, "system") || lm_json_is_text(role, "developer")) {
        *first = 1;
        lm_str_append_text(&a->pending, "\n\n");
        if (lm_json_is(content, LM_JSON_ARRAY) ? !join_parts(a, content, &a->pending)
                                               : lm_json_is(content, LM_JSON_STRING) &&
                                                     lm_str_append(&a->pending, content->text, content->count) != LM_OK)
            return fail(a, LM_ERR_MEMORY);
    }
    if (!a->needs->system) return true; /* it waits for the user */
    if (!make_object(a, &system, 4)) return false;
    set_text(a, &system, "role", "system");
    set_content(a, &system, &a->pending);
    return adapt_content(a, &system, LM_ROLE_SYSTEM) && add_message(a, system, *first ? 0 : -1);
}

lm_status lm_chat_adapt(const lm_chat_needs *needs, lm_arena *arena, const lm_json *inputs, const lm_json **out,
                        int32_t **origins, size_t *n, lm_error *error) {
    const lm_json *messages = lm_json_get(inputs, "messages"), *tools = lm_json_get(inputs, "tools");
    adapter a = {.needs = needs, .arena = arena, .error = error};
    lm_json *object = lm_arena_alloc_array(arena, 1, sizeof *object);
    size_t first = 0;
    *out = inputs;
    *n = 0;
    if (!lm_json_is(messages, LM_JSON_ARRAY)) return LM_OK; /* the template will say what it misses */
    a.capacity = messages->count + 2;
    a.items = lm_arena_alloc_array(arena, a.capacity, sizeof *a.items);
    a.origins = lm_arena_alloc_array(arena, a.capacity, sizeof *a.origins);
    if (!object || !a.items || !a.origins) return lm_error_memory(error);
    lm_str_init(&a.pending, arena->env, SIZE_MAX);
    lm_str_init(&a.text, arena->env, SIZE_MAX);
    bool good = true;
    if (!needs->tools && lm_json_is(tools, LM_JSON_ARRAY) && tools->count > 0)
        good = describe_tools(&a, tools) && take_tools(&a, messages, &first);
    lm_json rest = {.type = LM_JSON_ARRAY, .count = messages->count - first};
    rest.items = messages->items + first;
    if (good) good = take_messages(&a, &rest);
    if (good && a.pending.size > 0) {
        lm_json text = take_text(&a, &a.pending);
        good = a.status == LM_OK && add_user_text(&a, text, a.pending_at);
    }
    for (size_t i = 0; i < a.n; i++) a.origins[i] += a.origins[i] >= 0 ? (int32_t)first : 0;
    lm_str_free(&a.pending);
    lm_str_free(&a.text);
    if (!good) return a.status;
    if (!copy_object(&a, inputs, object)) return a.status;
    set(object, "messages", make_list(&a, a.items, a.n));
    *out = object;
    *origins = a.origins;
    *n = a.n;
    return a.status;
}
