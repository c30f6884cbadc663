/* SPDX-License-Identifier: MIT
 * The JSON reader: one loop and an explicit stack. Finished values wait on a stack of values until their container
 * closes; then they move to the arena in one piece, which gives every container contiguous items.
 *
 * An object of more than INDEX_FROM members is followed in memory by an index: member numbers sorted by (name size, name
 * bytes, number). Sorting instead of hashing keeps look-ups logarithmic whatever names an attacker picks. */
#include "json.h"

#include <string.h>

#include "array.h"
#include "format.h"
#include "number.h"
#include "utf8.h"

#define INDEX_FROM 16

typedef struct frame {
    size_t first; /* index in values of the first child; names and values alternate for an object */
    bool is_object;
} frame;

typedef struct reader {
    lm_arena *arena;
    const char *text;
    size_t n, at;
    int32_t depth_limit;
    LM_ARRAY(lm_json) values;
    LM_ARRAY(frame) frames;
    lm_error *error;
} reader;

static lm_status fail_at(const reader *r, lm_status status, size_t offset, const char *message) {
    int32_t line = 1;
    for (size_t i = 0; i < offset; i++) line += r->text[i] == '\n' && line < INT32_MAX;
    return lm_error_set_at(r->error, status, line, offset, "JSON line %d, offset %llu: %s", line,
                           (unsigned long long)offset, message);
}

static lm_status fail(const reader *r, const char *message) {
    return fail_at(r, LM_ERR_FORMAT, r->at, r->at == r->n ? "unexpected end of the text" : message);
}

static void skip_space(reader *r) {
    while (r->at < r->n) {
        char c = r->text[r->at];
        if (c != ' ' && c != '\n' && c != '\t' && c != '\r') return;
        r->at++;
    }
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* The code unit of the escape \uXXXX that starts at offset at; -1 when there is none. */
static int32_t code_unit(const reader *r, size_t at) {
    int32_t unit = 0;
    if (r->n - at < 6 || r->text[at] != '\\' || r->text[at + 1] != 'u') return -1;
    for (size_t i = at + 2; i < at + 6; i++) {
        int digit = hex_digit(r->text[i]);
        if (digit < 0) return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

/* Decode the escape at r->at into out (at most 4 bytes, never more than the escape has). */
static lm_status read_escape(reader *r, char **out) {
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    if (r->n - r->at < 2) {
        r->at = r->n;
        return fail(r, "");
    }
    char c = r->text[r->at + 1];
    const char *name = memchr(names, c, sizeof names - 1);
    if (name) {
        *(*out)++ = values[name - names];
        r->at += 2;
        return LM_OK;
    }
    if (c != 'u') return fail(r, "unknown escape in a string");
    int32_t unit = code_unit(r, r->at);
    if (unit < 0) return fail(r, "\\u needs four hexadecimal digits");
    r->at += 6;
    uint32_t code_point = (uint32_t)unit;
    if (unit >= 0xD800 && unit < 0xE000) {
        code_point = LM_UTF8_REPLACEMENT;
        int32_t second = unit < 0xDC00 ? code_unit(r, r->at) : -1;
        if (second >= 0xDC00 && second < 0xE000) {
            code_point = 0x10000 + (((uint32_t)unit & 0x3FF) << 10 | ((uint32_t)second & 0x3FF));
            r->at += 6;
        }
    }
    *out += lm_utf8_encode(code_point, *out);
    return LM_OK;
}

/* Whether some byte of the eight is a quote, a backslash or a control character. Such a byte is never missed; a byte above
 * 0x7F can be a false alarm. */
static bool has_special(const char *bytes) {
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
    uint64_t eight;
    memcpy(&eight, bytes, 8);
    uint64_t quote = eight ^ (ones * '"'), backslash = eight ^ (ones * '\\');
    return (((quote - ones) | (backslash - ones) | (eight - ones * 0x20)) & highs) != 0;
}

/* Skip the plain bytes of a string from offset at. */
static size_t skip_plain(const reader *r, size_t at) {
    for (;;) {
        while (r->n - at >= 8 && !has_special(r->text + at)) at += 8;
        size_t end = r->n - at < 8 ? r->n : at + 8;
        for (; at < end; at++) {
            unsigned char c = (unsigned char)r->text[at];
            if (c == '"' || c == '\\' || c < 0x20) return at;
        }
        if (at == r->n) return at;
    }
}

/* A string, r->at on its opening quote. The text is known to be UTF-8. */
static lm_status read_string(reader *r, lm_json *out) {
    size_t opening = r->at, end = skip_plain(r, opening + 1);
    lm_json string = {.type = LM_JSON_STRING};
    if (end < r->n && r->text[end] == '"') { /* no escape: one copy */
        string.count = end - opening - 1;
        string.text = lm_arena_copy(r->arena, r->text + opening + 1, string.count);
        if (!string.text) return fail_at(r, LM_ERR_MEMORY, opening, "out of memory");
        r->at = end + 1;
        *out = string;
        return LM_OK;
    }
    /* Find the closing quote first: decoding never makes a string longer, so its size bounds the memory. */
    while (end < r->n && r->text[end] == '\\') end = r->n - end < 2 ? r->n : skip_plain(r, end + 2);
    if (end == r->n || r->text[end] != '"') {
        r->at = end;
        return fail(r, "control character in a string");
    }
    char *decoded = lm_arena_alloc_aligned(r->arena, end - opening, 1);
    if (!decoded) return fail_at(r, LM_ERR_MEMORY, opening, "out of memory");
    char *to = decoded;
    r->at++;
    while (r->at < end) {
        size_t plain = skip_plain(r, r->at) - r->at;
        memcpy(to, r->text + r->at, plain);
        to += plain;
        r->at += plain;
        if (r->at == end) break;
        lm_status status = read_escape(r, &to);
        if (status != LM_OK) return status;
    }
    *to = '\0';
    string.text = decoded;
    string.count = (size_t)(to - decoded);
    r->at = end + 1;
    *out = string;
    return LM_OK;
}

static lm_status read_number(reader *r, lm_json *out) {
    lm_json number = {.type = LM_JSON_NUMBER};
    number.count = lm_number_scan_json(r->text + r->at, r->n - r->at, &number.is_integer);
    if (number.count == 0) return fail(r, "malformed number");
    number.text = lm_arena_copy(r->arena, r->text + r->at, number.count);
    if (!number.text) return fail_at(r, LM_ERR_MEMORY, r->at, "out of memory");
    r->at += number.count;
    *out = number;
    return LM_OK;
}

static bool take_word(reader *r, const char *word) {
    size_t n = strlen(word);
    if (r->n - r->at < n || memcmp(r->text + r->at, word, n) != 0) return false;
    r->at += n;
    return true;
}

static lm_status read_scalar(reader *r, lm_json *out) {
    char c = r->at < r->n ? r->text[r->at] : '\0';
    if (c == '"') return read_string(r, out);
    if (c == '-' || (c >= '0' && c <= '9')) return read_number(r, out);
    *out = (lm_json){.type = LM_JSON_BOOL, .boolean = true};
    if (take_word(r, "true")) return LM_OK;
    *out = (lm_json){.type = LM_JSON_BOOL};
    if (take_word(r, "false")) return LM_OK;
    *out = (lm_json){.type = LM_JSON_NULL};
    if (take_word(r, "null")) return LM_OK;
    return fail(r, "expected a value");
}

static int compare_names(const lm_json_member *member, const char *name, size_t name_size) {
    if (member->name_size != name_size) return member->name_size < name_size ? -1 : 1;
    return name_size ? memcmp(member->name, name, name_size) : 0;
}

/* Merge sort from the bottom up: stable, so equal names stay in the order of the text. The result is left in index. */
static void sort_index(const lm_json_member *members, size_t n, uint32_t *index, uint32_t *scratch) {
    uint32_t *from = index, *to = scratch;
    for (size_t i = 0; i < n; i++) from[i] = (uint32_t)i;
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t left = 0; left < n; left += 2 * width) {
            size_t middle = lm_size_min(left + width, n), end = lm_size_min(left + 2 * width, n);
            size_t a = left, b = middle;
            for (size_t i = left; i < end; i++) {
                const lm_json_member *second = b < end ? &members[from[b]] : NULL;
                bool first =
                    a < middle && (!second || compare_names(&members[from[a]], second->name, second->name_size) <= 0);
                to[i] = from[first ? a++ : b++];
            }
        }
        uint32_t *swap = from;
        from = to;
        to = swap;
    }
    if (from != index) memcpy(index, from, n * sizeof *index);
}

/* Move the children of a closing object to the arena. */
static lm_status build_object(reader *r, const lm_json *children, size_t n, lm_json *out) {
    size_t bytes, index_bytes = n > INDEX_FROM ? n * sizeof(uint32_t) : 0;
    if (n > UINT32_MAX) return fail_at(r, LM_ERR_LIMIT, r->at, "object with too many members");
    if (!lm_size_mul(n, sizeof(lm_json_member), &bytes)) return lm_error_memory(r->error);
    if (!lm_size_add(bytes, index_bytes, &bytes)) return lm_error_memory(r->error);
    lm_json_member *members = lm_arena_alloc(r->arena, bytes);
    if (!members) return fail_at(r, LM_ERR_MEMORY, r->at, "out of memory");
    for (size_t i = 0; i < n; i++) {
        const lm_json *name = &children[2 * i];
        members[i] = (lm_json_member){name->text, name->count, name[1]};
    }
    if (index_bytes) {
        uint32_t *scratch = lm_alloc(r->arena->env, index_bytes);
        if (!scratch) return fail_at(r, LM_ERR_MEMORY, r->at, "out of memory");
        sort_index(members, n, (uint32_t *)(members + n), scratch);
        lm_free(r->arena->env, scratch, index_bytes);
    }
    *out = (lm_json){.type = LM_JSON_OBJECT, .count = n, .members = members};
    return LM_OK;
}

/* Close the innermost container: its children leave the stack of values and become one value. */
static lm_status close_container(reader *r, lm_json *out) {
    frame f = r->frames.data[r->frames.count - 1];
    size_t n = r->values.count - f.first;
    const lm_json *children = n ? r->values.data + f.first : NULL;
    if (f.is_object) {
        lm_status status = build_object(r, children, n / 2, out);
        if (status != LM_OK) return status;
    } else {
        lm_json *items = lm_arena_alloc(r->arena, n * sizeof *items);
        if (!items) return fail_at(r, LM_ERR_MEMORY, r->at, "out of memory");
        if (n) memcpy(items, children, n * sizeof *items);
        *out = (lm_json){.type = LM_JSON_ARRAY, .count = n, .items = items};
    }
    r->values.count = f.first;
    r->frames.count--;
    r->at++;
    return LM_OK;
}

static bool at_char(reader *r, char c) {
    skip_space(r);
    return r->at < r->n && r->text[r->at] == c;
}

/* The name of a member and its colon. */
static lm_status read_name(reader *r) {
    lm_json name;
    if (!at_char(r, '"')) return fail(r, "expected a member name");
    lm_status status = read_string(r, &name);
    if (status != LM_OK) return status;
    if (!lm_array_push(r->arena->env, &r->values, name)) return fail_at(r, LM_ERR_MEMORY, r->at, "out of memory");
    if (!at_char(r, ':')) return fail(r, "expected ':' after a member name");
    r->at++;
    return LM_OK;
}

static lm_status open_container(reader *r, bool is_object) {
    frame f = {r->values.count, is_object};
    if (r->frames.count >= (size_t)r->depth_limit) return fail_at(r, LM_ERR_LIMIT, r->at, "nested too deeply");
    if (!lm_array_push(r->arena->env, &r->frames, f)) return fail_at(r, LM_ERR_MEMORY, r->at, "out of memory");
    r->at++;
    return LM_OK;
}

/* One value with all that is in it. Each turn of the loop reads a scalar, opens a container, or closes as many as end. */
static lm_status read_value(reader *r, lm_json *out) {
    for (;;) {
        lm_json value;
        lm_status status;
        bool is_object = at_char(r, '{');
        if (is_object || at_char(r, '[')) {
            status = open_container(r, is_object);
            if (status != LM_OK) return status;
            if (!at_char(r, is_object ? '}' : ']')) {
                if (is_object) status = read_name(r);
                if (status != LM_OK) return status;
                continue;
            }
            status = close_container(r, &value);
        } else {
            status = read_scalar(r, &value);
        }
        if (status != LM_OK) return status;
        for (;;) { /* a value is complete: it is the result, or the container around it goes on or ends */
            if (r->frames.count == 0) {
                *out = value;
                return LM_OK;
            }
            if (!lm_array_push(r->arena->env, &r->values, value))
                return fail_at(r, LM_ERR_MEMORY, r->at, "out of memory");
            is_object = r->frames.data[r->frames.count - 1].is_object;
            if (at_char(r, ',')) {
                r->at++;
                if (is_object) status = read_name(r);
                if (status != LM_OK) return status;
                break;
            }
            if (!at_char(r, is_object ? '}' : ']'))
                return fail(r, is_object ? "expected ',' or '}'" : "expected ',' or ']'");
            status = close_container(r, &value);
            if (status != LM_OK) return status;
        }
    }
}

lm_status lm_json_parse(lm_arena *arena, const char *text, size_t n, int32_t depth_limit, const lm_json **out,
                        lm_error *error) {
    reader r = {.arena = arena, .text = text, .n = n, .error = error};
    r.depth_limit = depth_limit < 0 ? 0 : depth_limit > LM_JSON_DEPTH_MAX ? LM_JSON_DEPTH_MAX : depth_limit;
    lm_json value, *root;
    lm_status status;
    size_t valid = lm_utf8_valid_prefix(text, n);
    if (valid < n) {
        status = fail_at(&r, LM_ERR_FORMAT, valid, "not UTF-8");
        goto out;
    }
    status = read_value(&r, &value);
    if (status != LM_OK) goto out;
    skip_space(&r);
    if (r.at < n) {
        status = fail(&r, "unexpected text after the value");
        goto out;
    }
    root = lm_arena_alloc(arena, sizeof *root);
    if (!root) {
        status = fail_at(&r, LM_ERR_MEMORY, r.at, "out of memory");
        goto out;
    }
    *root = value;
    *out = root;
out:
    lm_array_free(arena->env, &r.values);
    lm_array_free(arena->env, &r.frames);
    return status;
}

const lm_json *lm_json_find(const lm_json *json, const char *name, size_t name_size) {
    if (!lm_json_is(json, LM_JSON_OBJECT)) return NULL;
    const lm_json_member *members = json->members;
    if (json->count <= INDEX_FROM) {
        for (size_t i = json->count; i-- > 0;)
            if (compare_names(&members[i], name, name_size) == 0) return &members[i].value;
        return NULL;
    }
    const uint32_t *index = (const uint32_t *)(members + json->count);
    size_t low = 0, high = json->count; /* the first entry greater than name lies in [low, high] */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_names(&members[index[middle]], name, name_size) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || compare_names(&members[index[low - 1]], name, name_size) != 0) return NULL;
    return &members[index[low - 1]].value;
}

const lm_json *lm_json_get(const lm_json *json, const char *name) { return lm_json_find(json, name, strlen(name)); }

const lm_json *lm_json_at(const lm_json *json, size_t index) {
    return lm_json_is(json, LM_JSON_ARRAY) && index < json->count ? &json->items[index] : NULL;
}

bool lm_json_is_text(const lm_json *json, const char *text) {
    size_t n = strlen(text);
    return lm_json_is(json, LM_JSON_STRING) && json->count == n && memcmp(json->text, text, n) == 0;
}

const char *lm_json_text(const lm_json *json, const char *fallback) {
    return lm_json_is(json, LM_JSON_STRING) && !memchr(json->text, '\0', json->count) ? json->text : fallback;
}

bool lm_json_bool(const lm_json *json, bool fallback) {
    return lm_json_is(json, LM_JSON_BOOL) ? json->boolean : fallback;
}

bool lm_json_int64(const lm_json *json, int64_t *out) {
    return lm_json_is(json, LM_JSON_NUMBER) && lm_number_to_int64(json->text, json->count, out);
}

bool lm_json_uint64(const lm_json *json, uint64_t *out) {
    return lm_json_is(json, LM_JSON_NUMBER) && lm_number_to_uint64(json->text, json->count, out);
}

bool lm_json_double(const lm_json *json, double *out) {
    return lm_json_is(json, LM_JSON_NUMBER) && lm_number_to_double(json->text, json->count, out);
}
