/* SPDX-License-Identifier: MIT
 * Schemas made from schemas: negation for not, if and oneOf, implications for dependentRequired. They are written as ordinary
 * schema nodes in the arena, so that the rest of the compiler need not know of them. A negation is a list, of which one must
 * hold; it goes one keyword deep and leaves what is below to another "not", which is how it ends where schemas recurse.
 * Negation reaches what can be said positively, or taken from a text's language: what is left out is reported by name. */
#include <string.h>

#include "../base/format.h"
#include "json_schema.h"

#define MAX_DEPTH 64u /* how far it is looked whether a negation can be had; what is deeper is tried */

static const lm_json no = {.type = LM_JSON_BOOL}, yes = {.type = LM_JSON_BOOL, .boolean = true};

static const void *keep(lm_schema *s, const void *from, size_t n, size_t size) {
    void *out = lm_arena_alloc_array(&s->arena, n + 1, size);
    if (!out)
        lm_schema_memory(s);
    else if (n)
        memcpy(out, from, n * size);
    return out;
}

/* What a form is filled with. */
typedef struct filling {
    const char *name;
    size_t name_size;
    const lm_json *values[2];
} filling;

/* Read a form into out: the place behind it. Forms are JSON in shorthand:
 *   { } around names and values, [ ] around values (two at most of either)
 *   names: t type, n not, r required, p properties, i items, c contains, a allOf, o anyOf, b BEYOND, # the filling's name
 *   values: O "object", A "array", N "number", F false, # the filling's name, 0 1 the filling's values */
static const char *fill(lm_schema *s, const char *form, const filling *with, lm_json *out) {
    static const char names[][11] = {"type",  "not",   "required",       "properties", "items", "contains",
                                     "allOf", "anyOf", LM_SCHEMA_BEYOND, "object",     "array", "number"};
    static const char letters[] = "tnrpicaobOAN";
    char c = *form++;
    lm_json_member members[3];
    lm_json items[3];
    size_t n = 0;
    memset(out, 0, sizeof *out);
    out->type = c == '{' ? LM_JSON_OBJECT : c == '[' ? LM_JSON_ARRAY : c == 'F' ? LM_JSON_BOOL : LM_JSON_STRING;
    if (c == '0' || c == '1') {
        *out = *with->values[c - '0'];
    } else if (c == '#') {
        out->text = with->name;
        out->count = with->name_size;
    } else if (c == '{' || c == '[') {
        for (; *form != '}' && *form != ']'; n++) {
            if (c == '{') {
                const char *letter = strchr(letters, *form++);
                members[n].name = letter ? names[letter - letters] : with->name;
                members[n].name_size = letter ? strlen(members[n].name) : with->name_size;
            }
            form = fill(s, form, with, c == '{' ? &members[n].value : &items[n]);
        }
        form++;
        if (c == '{')
            out->members = keep(s, members, n, sizeof *members);
        else
            out->items = keep(s, items, n, sizeof *items);
        out->count = out->text ? n : 0; /* all of them are one pointer */
    } else if (c != 'F') {
        out->text = names[strchr(letters, c) - letters];
        out->count = strlen(out->text);
    }
    return form;
}

typedef struct negation {
    lm_schema *schema;
    uint32_t depth;
    LM_ARRAY(lm_json) list;
    const char *unable;
} negation;

static const lm_json *negated(lm_schema *s, const lm_json *node, uint32_t depth, const char **unable);

static void add(negation *n, const char *form, const char *name, size_t name_size, const lm_json *value,
                const lm_json *more) {
    filling with = {name, name_size, {value, more}};
    lm_json branch;
    fill(n->schema, form, &with, &branch);
    lm_schema_push(n->schema, &n->list, branch);
}

/* Can something be said of what node does not hold for? Else unable tells why not. */
static bool can(negation *n, const lm_json *node) {
    const char *unable = NULL;
    const lm_json *list = n->depth < MAX_DEPTH ? negated(n->schema, node, n->depth + 1, &unable) : NULL;
    if (unable && !n->unable) n->unable = unable;
    return !list || list->count > 0;
}

/* A least count becomes a most and the other way round. */
static bool negate_count(negation *n, const lm_json *value, uint32_t key, uint32_t other, const char *form) {
    const char *name = lm_schema_keyword_name(other);
    uint64_t count;
    char text[24];
    if (!lm_json_uint64(value, &count) || count > UINT32_MAX) return false;
    if (key < other && count == 0) return true; /* it always holds */
    size_t size = lm_format(text, sizeof text, "%llu", (unsigned long long)(key < other ? count - 1 : count + 1));
    const lm_json number = {
        .type = LM_JSON_NUMBER, .is_integer = true, .count = size, .text = keep(n->schema, text, size, 1)};
    if (number.text) add(n, form, name, strlen(name), &number, NULL);
    return true;
}

/* A number beyond the bound, or at it where the bound is exclusive. */
static void negate_bound(negation *n, const lm_json *node, const lm_json *value, uint32_t key) {
    uint32_t bound = key - LM_KEY_MINIMUM;
    /* A bound of draft 4 has a boolean beside it that says whether it is exclusive. */
    const char *beside = lm_schema_keyword_name(LM_KEY_MINIMUM + 3 - bound);
    bound = bound % 2 == 0 && lm_json_bool(lm_json_get(node, beside), false) ? 2 - bound : bound ^ 1;
    const char *opposite = lm_schema_keyword_name(LM_KEY_MINIMUM + bound);
    if (value->type != LM_JSON_BOOL) add(n, "{tN#0}", opposite, strlen(opposite), value, NULL);
}

static bool negate_required(negation *n, const lm_json *value) {
    if (value->type != LM_JSON_ARRAY) return false;
    for (size_t i = 0; i < value->count; i++) {
        /* The first that is missing: those before it are there. */
        const lm_json *name = &value->items[i], before = {.type = LM_JSON_ARRAY, .count = i, .items = value->items};
        if (name->type != LM_JSON_STRING) return false;
        add(n, "{tOr0p{#F}}", name->text, name->count, &before, NULL);
    }
    return true;
}

static bool negate_properties(negation *n, const lm_json *value) {
    if (value->type != LM_JSON_OBJECT) return false;
    for (size_t i = 0; i < value->count; i++) {
        const lm_json_member *property = &value->members[i];
        if (can(n, &property->value))
            add(n, "{tOr[#]p{#{n0}}}", property->name, property->name_size, &property->value, NULL);
    }
    return true;
}

/* The negations of one keyword's demand, any of which must hold. False: not in our means. */
static bool negate_member(negation *n, const lm_json *node, const lm_json_member *member, uint32_t key) {
    lm_schema *s = n->schema;
    const lm_json *value = &member->value;
    bool possible = true;
    switch (key) {
    case LM_KEY_TYPE:
    case LM_KEY_CONST:
    case LM_KEY_ENUM:
    case LM_KEY_PATTERN:
    case LM_KEY_MIN_LENGTH:
    case LM_KEY_MAX_LENGTH:
    case LM_KEY_MULTIPLE_OF: {
        const lm_json_member both[2] = {*member,
                                        {"nullable", 8, lm_json_bool(lm_json_get(node, "nullable"), false) ? yes : no}};
        const lm_json self = {.type = LM_JSON_OBJECT, .count = 2, .members = keep(s, both, 2, sizeof *both)};
        if (self.members) add(n, "{n0}", NULL, 0, &self, NULL);
        return true;
    }
    case LM_KEY_MINIMUM:
    case LM_KEY_BELOW:
    case LM_KEY_MAXIMUM:
    case LM_KEY_ABOVE: negate_bound(n, node, value, key); return true;
    case LM_KEY_REQUIRED: return negate_required(n, value);
    case LM_KEY_PROPERTIES: return negate_properties(n, value);
    case LM_KEY_ADDITIONAL:
        if (lm_json_get(node, "patternProperties")) return false;
        if (value->type != LM_JSON_BOOL) return value->count == 0;
        if (!value->boolean) add(n, "{b0}", NULL, 0, node, NULL);
        return true;
    case LM_KEY_ITEMS:
        if (value->type == LM_JSON_ARRAY || lm_json_get(node, "prefixItems")) return false;
        if (can(n, value)) add(n, "{tAc{n0}}", NULL, 0, value, NULL);
        return true;
    case LM_KEY_CONTAINS:
        if (lm_json_get(node, "minContains") || lm_json_get(node, "maxContains")) return false;
        if (can(n, value)) add(n, "{tAi{n0}}", NULL, 0, value, NULL);
        return true;
    case LM_KEY_MIN_ITEMS: return negate_count(n, value, key, LM_KEY_MAX_ITEMS, "{tA#0}");
    case LM_KEY_MAX_ITEMS: return negate_count(n, value, key, LM_KEY_MIN_ITEMS, "{tA#0}");
    case LM_KEY_MIN_MEMBERS: return negate_count(n, value, key, LM_KEY_MAX_MEMBERS, "{tO#0}");
    case LM_KEY_MAX_MEMBERS: return negate_count(n, value, key, LM_KEY_MIN_MEMBERS, "{tO#0}");
    case LM_KEY_NOT: add(n, "0", NULL, 0, value, NULL); return true;
    case LM_KEY_REF:
        value = lm_schema_resolve(s, node, value);
        if (value && can(n, value)) add(n, "{n0}", NULL, 0, value, NULL);
        return true;
    case LM_KEY_FORMAT: return !lm_schema_format_pattern(value, NULL);
    case LM_KEY_ALL_OF:
        for (size_t i = 0; value->type == LM_JSON_ARRAY && i < value->count; i++)
            if (can(n, &value->items[i])) add(n, "{n0}", NULL, 0, &value->items[i], NULL);
        return value->type == LM_JSON_ARRAY;
    case LM_KEY_ANY_OF:
    case LM_KEY_ONE_OF:
        if (value->type != LM_JSON_ARRAY) return false;
        for (size_t i = 0; i < value->count; i++) possible = can(n, &value->items[i]) && possible;
        if (possible) {
            const lm_json *none = lm_schema_excluding(s, value);
            if (none) add(n, "{a0}", NULL, 0, none, NULL);
        }
        return key == LM_KEY_ANY_OF; /* that two branches hold is left out */
    default: return false;
    }
}

/* The list as a node, and nothing left of it elsewhere; NULL: no memory. */
static const lm_json *keep_list(negation *n) {
    lm_schema *s = n->schema;
    const lm_json list = {
        .type = LM_JSON_ARRAY, .count = n->list.count, .items = keep(s, n->list.data, n->list.count, sizeof list)};
    lm_array_free(s->env, &n->list);
    const lm_json *out = keep(s, &list, 1, sizeof list);
    return s->status == LM_OK ? out : NULL;
}

/* What was made of key, or a new place for it; NULL: no memory. Valid until the next call. */
static lm_schema_made *made_of(lm_schema *s, const void *key) {
    static const lm_json something = {.type = LM_JSON_ARRAY, .count = 1, .items = &no};
    lm_schema_made made = {.key = key};
    for (size_t i = 0; i < s->made.count; i++) {
        lm_schema_made *known = &s->made.data[i];
        if (known->key != key) continue;
        if (!known->list) known->list = &something; /* being made: something will be said */
        return known;
    }
    lm_schema_push(s, &s->made, made);
    return s->status == LM_OK ? &s->made.data[s->made.count - 1] : NULL;
}

static const lm_json never = {.type = LM_JSON_ARRAY};

static const lm_json *negated(lm_schema *s, const lm_json *node, uint32_t depth, const char **unable) {
    static const lm_json always = {.type = LM_JSON_ARRAY, .count = 1, .items = &yes};
    if (node->type != LM_JSON_OBJECT || node->count == 0) return lm_json_bool(node, true) ? &never : &always;
    lm_schema_made *known = made_of(s, node->members);
    if (!known) return NULL;
    if (known->list) {
        *unable = known->unable;
        return known->list;
    }
    negation n = {.schema = s, .depth = depth};
    for (size_t i = 0; i < node->count && s->status == LM_OK; i++) {
        uint32_t key = lm_schema_keyword_of(node, i);
        if (key == LM_KEY_NONE || negate_member(&n, node, &node->members[i], key)) continue;
        n.unable = node->members[i].name;
    }
    *unable = n.unable;
    const lm_json *out = keep_list(&n);
    known = made_of(s, node->members);
    if (!known) return NULL;
    known->unable = n.unable;
    return known->list = out;
}

const lm_json *lm_schema_negate(lm_schema *s, const lm_json *node, const char **unable) {
    return negated(s, node, 0, unable);
}

const lm_json *lm_schema_excluding(lm_schema *s, const lm_json *list) {
    if (list->count == 0) return &never;
    lm_schema_made *known = made_of(s, list->items);
    if (!known || known->list) return known ? known->list : NULL;
    negation n = {.schema = s};
    for (size_t i = 0; i < list->count; i++) add(&n, "{n0}", NULL, 0, &list->items[i], NULL);
    return known->list = keep_list(&n);
}

const lm_json *lm_schema_beyond(lm_schema *s, const lm_schema_flat *flat, const lm_json *node) {
    negation n = {.schema = s};
    const lm_json *members = lm_json_get(node, "properties");
    bool required = false;
    for (size_t i = 0; i < flat->keys.count; i++) {
        const lm_schema_key *key = &flat->keys.data[i];
        if (lm_json_find(members, key->name, key->size) || !lm_schema_writes(flat, key)) continue;
        required = required || key->required;
        add(&n, "{r[#]}", key->name, key->size, NULL, NULL);
    }
    const lm_json *out = keep_list(&n);
    return required ? NULL : out;
}

const lm_json *lm_schema_dependent(lm_schema *s, const lm_json_member *member) {
    negation n = {.schema = s};
    add(&n, member->value.type == LM_JSON_ARRAY ? "{o[{p{#F}}{a[{r[#]}{r0}]}]}" : "{o[{p{#F}}{a[{r[#]}0]}]}",
        member->name, member->name_size, &member->value, NULL);
    const lm_json *out = keep_list(&n);
    return out ? out->items : NULL;
}

const lm_json *lm_schema_conditional(lm_schema *s, const lm_json *node) {
    const lm_json *condition = lm_json_get(node, "if"), *then = lm_json_get(node, "then"),
                  *other = lm_json_get(node, "else");
    negation n = {.schema = s};
    add(&n, "{a[01]}", NULL, 0, condition, then ? then : &yes);
    add(&n, "{a[{n0}1]}", NULL, 0, condition, other ? other : &yes);
    return keep_list(&n);
}
