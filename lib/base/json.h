/* SPDX-License-Identifier: MIT
 * JSON text to a tree in an arena. Strict RFC 8259: UTF-8 only, no comments, no trailing commas, no byte order mark, any
 * value at the top. The input is hostile: nesting is bounded, the reader does not recurse, time is proportional to the
 * input (n log n for the members of a large object).
 *
 *     lm_arena arena;
 *     const lm_json *root;
 *     lm_arena_init(&arena, env, 16 << 20);
 *     if (lm_json_parse(&arena, text, n, LM_JSON_DEPTH_DEFAULT, &root, error) == LM_OK)
 *         use(lm_json_get(root, "messages"));
 *     lm_arena_free(&arena);
 *
 * Order: members and items keep the order of the text. Duplicate names are all kept; looking one up gives the last.
 * Numbers: the exact source text, so that 1, 1.0 and 1e0 differ and nothing is lost; accessors convert.
 * Strings: decoded UTF-8 with a length; NUL may occur in them, and another NUL follows. A \u escape that is half of a
 * surrogate pair without its other half has no UTF-8 form: it becomes U+FFFD. */
#ifndef LM_BASE_JSON_H
#define LM_BASE_JSON_H

#include "arena.h"

#include <stdbool.h>

#define LM_JSON_DEPTH_DEFAULT 256
#define LM_JSON_DEPTH_MAX 1024

typedef enum lm_json_type {
    LM_JSON_NULL = 0,
    LM_JSON_BOOL = 1,
    LM_JSON_NUMBER = 2,
    LM_JSON_STRING = 3,
    LM_JSON_ARRAY = 4,
    LM_JSON_OBJECT = 5
} lm_json_type;

typedef struct lm_json lm_json;
typedef struct lm_json_member lm_json_member;

struct lm_json {
    uint8_t type;    /* an lm_json_type */
    bool boolean;    /* of a BOOL */
    bool is_integer; /* of a NUMBER: neither fraction nor exponent in its text */
    size_t count;    /* bytes of text, items, or members */
    union {
        const char *text;              /* STRING: decoded; NUMBER: as written. A NUL follows */
        const lm_json *items;          /* ARRAY */
        const lm_json_member *members; /* OBJECT */
    };
};

struct lm_json_member {
    const char *name; /* decoded; a NUL follows */
    size_t name_size;
    lm_json value;
};

/* LM_OK, or LM_ERR_FORMAT, LM_ERR_LIMIT (nesting deeper than depth_limit, which is at most LM_JSON_DEPTH_MAX),
 * LM_ERR_MEMORY (the arena's limit included). error (may be NULL) gets line and byte offset. A scalar has depth 0, "[]" has
 * depth 1. The tree lives in the arena and needs neither text nor anything else. After a failure the arena holds pieces of
 * no use until it is reset. While it runs the reader also takes up to 24 bytes of scratch per value from the arena's env. */
lm_status lm_json_parse(lm_arena *arena, const char *text, size_t n, int32_t depth_limit, const lm_json **out,
                        lm_error *error);

/* The accessors take NULL for "no such value", so that look-ups chain. */

static inline bool lm_json_is(const lm_json *json, lm_json_type type) { return json && json->type == type; }

/* The value of a member, NULL when json is not an object or has none of this name. O(log members). */
const lm_json *lm_json_get(const lm_json *json, const char *name);
const lm_json *lm_json_find(const lm_json *json, const char *name, size_t name_size);
/* The item at index, NULL when json is not an array or is shorter. */
const lm_json *lm_json_at(const lm_json *json, size_t index);

/* True when json is a string of exactly this text. */
bool lm_json_is_text(const lm_json *json, const char *text);
/* The text of a string; fallback for anything else, and for a string with a NUL in it. */
const char *lm_json_text(const lm_json *json, const char *fallback);
bool lm_json_bool(const lm_json *json, bool fallback);

/* The value of a number; false (out untouched) when json is none, or for the integers when it is not an integer in range.
 * Integers may be written as "2.0" or "2e3"; test is_integer where the spelling matters. Doubles beyond the largest become
 * infinite. */
bool lm_json_int64(const lm_json *json, int64_t *out);
bool lm_json_uint64(const lm_json *json, uint64_t *out);
bool lm_json_double(const lm_json *json, double *out);

#endif
