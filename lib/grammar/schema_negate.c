/* SPDX-License-Identifier: MIT
 * Schemas made from schemas: negation for not and if, implications for dependentRequired. They are written as ordinary schema
 * nodes in the arena, so that the rest of the compiler need not know of them. Negation reaches what can be said positively;
 * where it ends (not of a pattern, say) there is no result, and the keyword is refused. */
#include <string.h>

#include "json_schema.h"

static void *take(lm_schema *s, size_t n, size_t size) {
    void *out = lm_arena_alloc_array(&s->arena, n, size);
    if (!out) lm_schema_memory(s);
    return out;
}

static void set_text(lm_json *json, const char *text, size_t n) {
    memset(json, 0, sizeof *json);
    json->type = LM_JSON_STRING;
    json->text = text;
    json->count = n;
}

/* An object of up to two members. */
static lm_json *object(lm_schema *s, const char *first, const lm_json *a, const char *second, const lm_json *b) {
    size_t n = second ? 2 : 1;
    lm_json *out = take(s, 1, sizeof *out);
    lm_json_member *members = take(s, n, sizeof *members);
    if (!out || !members || !a || (second && !b)) return NULL;
    members[0] = (lm_json_member){first, strlen(first), *a};
    if (second) members[1] = (lm_json_member){second, strlen(second), *b};
    out->type = LM_JSON_OBJECT;
    out->count = n;
    out->members = members;
    return out;
}

static lm_json *object_of_key(lm_schema *s, const char *key, size_t key_size, const lm_json *value) {
    lm_json *out = object(s, "", value, NULL, NULL);
    if (!out) return NULL;
    lm_json_member *member = take(s, 1, sizeof *member);
    if (!member) return NULL;
    *member = (lm_json_member){key, key_size, *value};
    out->members = member;
    return out;
}

static lm_json *array(lm_schema *s, size_t n, lm_json **items) {
    lm_json *out = take(s, 1, sizeof *out);
    *items = take(s, n ? n : 1, sizeof **items);
    if (!out || !*items) return NULL;
    out->type = LM_JSON_ARRAY;
    out->count = n;
    out->items = *items;
    return out;
}

static lm_json *boolean(lm_schema *s, bool value) {
    lm_json *out = take(s, 1, sizeof *out);
    if (!out) return NULL;
    out->type = LM_JSON_BOOL;
    out->boolean = value;
    return out;
}

static lm_json *one_name(lm_schema *s, const char *name, size_t n) {
    lm_json *items, *out = array(s, 1, &items);
    if (out) set_text(&items[0], name, n);
    return out;
}

/* {"properties": {name: value}} */
static lm_json *property(lm_schema *s, const char *name, size_t n, const lm_json *value) {
    return value ? object(s, "properties", object_of_key(s, name, n, value), NULL, NULL) : NULL;
}

/* An object in which name is missing. */
static lm_json *absent(lm_schema *s, const char *name, size_t n) {
    lm_json *type = take(s, 1, sizeof *type), *none = boolean(s, false);
    if (!type || !none) return NULL;
    set_text(type, "object", 6);
    return object(s, "type", type, "properties", object_of_key(s, name, n, none));
}

/* An object in which name is there and its value does not satisfy schema. */
static lm_json *present_but(lm_schema *s, const char *name, size_t n, const lm_json *schema) {
    lm_json *out = object(s, "required", one_name(s, name, n), "properties",
                          object_of_key(s, name, n, object(s, "not", schema, NULL, NULL)));
    lm_json *type = take(s, 1, sizeof *type);
    if (!out || !type) return NULL;
    lm_json *items, *both = array(s, 2, &items);
    if (!both) return NULL;
    set_text(type, "object", 6);
    lm_json *typed = object(s, "type", type, NULL, NULL);
    if (!typed) return NULL;
    items[0] = *typed;
    items[1] = *out;
    return object(s, "allOf", both, NULL, NULL);
}

typedef struct branches {
    lm_schema *schema;
    LM_ARRAY(const lm_json *) list;
} branches;

static void add_branch(branches *b, const lm_json *branch) {
    if (branch && !lm_array_push(b->schema->env, &b->list, branch)) lm_schema_memory(b->schema);
}

static const lm_json *any_of(branches *b) {
    lm_json *items, *list = array(b->schema, b->list.count, &items);
    const lm_json *out = NULL;
    if (list) {
        for (size_t i = 0; i < b->list.count; i++) items[i] = *b->list.data[i];
        out = b->list.count == 1 ? &items[0] : object(b->schema, "anyOf", list, NULL, NULL);
    }
    lm_array_free(b->schema->env, &b->list);
    return out;
}

static bool is_annotation(const char *name) {
    static const char *const names[] = {"title",    "description", "default",  "examples",
                                        "$comment", "deprecated",  "readOnly", "writeOnly"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0) return true;
    return false;
}

/* The negations of one keyword's demand, any of which must hold. False: not in our means. */
static bool negate_member(lm_schema *s, const lm_json_member *member, uint32_t depth, branches *out) {
    const lm_json *value = &member->value;
    const char *name = member->name;
    if (strcmp(name, "type") == 0 || strcmp(name, "const") == 0 || strcmp(name, "enum") == 0) {
        /* "not" of these three is understood directly. */
        const lm_json *inner = object(s, name, value, NULL, NULL);
        add_branch(out, inner ? object(s, "not", inner, NULL, NULL) : NULL);
        return true;
    }
    if (strcmp(name, "required") == 0 && value->type == LM_JSON_ARRAY) {
        for (size_t i = 0; i < value->count; i++) {
            if (value->items[i].type != LM_JSON_STRING) return false;
            add_branch(out, absent(s, value->items[i].text, value->items[i].count));
        }
        return true;
    }
    if (strcmp(name, "properties") == 0 && value->type == LM_JSON_OBJECT) {
        for (size_t i = 0; i < value->count; i++) {
            const lm_json_member *property = &value->members[i];
            add_branch(out, present_but(s, property->name, property->name_size, &property->value));
        }
        return true;
    }
    if (strcmp(name, "not") == 0) {
        add_branch(out, value);
        return true;
    }
    bool any = strcmp(name, "anyOf") == 0;
    if ((!any && strcmp(name, "allOf") != 0) || value->type != LM_JSON_ARRAY) return false;
    lm_json *items, *list = any ? array(s, value->count, &items) : NULL;
    for (size_t i = 0; i < value->count; i++) {
        const lm_json *negated = lm_schema_negate(s, &value->items[i], depth + 1);
        if (!negated) return false;
        if (!any)
            add_branch(out, negated);
        else if (list)
            items[i] = *negated;
    }
    if (any && list) add_branch(out, object(s, "allOf", list, NULL, NULL));
    return true;
}

const lm_json *lm_schema_negate(lm_schema *s, const lm_json *node, uint32_t depth) {
    branches out = {.schema = s};
    bool done = depth < 64 && s->status == LM_OK;
    if (node->type == LM_JSON_BOOL) return boolean(s, !node->boolean);
    if (node->type != LM_JSON_OBJECT) return NULL;
    for (size_t i = 0; done && i < node->count; i++) {
        if (is_annotation(node->members[i].name)) continue;
        done = negate_member(s, &node->members[i], depth, &out);
    }
    if (done && s->status == LM_OK && out.list.count > 0) return any_of(&out);
    done = done && s->status == LM_OK;
    lm_array_free(s->env, &out.list);
    return done ? boolean(s, false) : NULL; /* nothing was demanded: everything holds, its negation nowhere */
}

const lm_json *lm_schema_dependent(lm_schema *s, const lm_json_member *member) {
    lm_json *items, *out = array(s, 2, &items);
    lm_json *without = absent(s, member->name, member->name_size);
    lm_json *none = boolean(s, false);
    lm_json *names, *all = array(s, member->value.count + 1, &names);
    if (!out || !without || !none || !all) return NULL;
    set_text(&names[0], member->name, member->name_size);
    for (size_t i = 0; i < member->value.count; i++) names[i + 1] = member->value.items[i];
    lm_json *with = object(s, "required", all, NULL, NULL);
    if (!with) return NULL;
    items[0] = *property(s, member->name, member->name_size, none);
    items[1] = *with;
    return s->status == LM_OK ? out : NULL;
}

const lm_json *lm_schema_conditional(lm_schema *s, const lm_json *node) {
    const lm_json *condition = lm_json_get(node, "if"), *then = lm_json_get(node, "then"),
                  *other = lm_json_get(node, "else");
    lm_json *items, *out = array(s, 2, &items);
    const lm_json *negated = lm_schema_negate(s, condition, 0);
    if (!out || !negated) return NULL;
    for (size_t i = 0; i < 2; i++) {
        const lm_json *consequence = i == 0 ? then : other;
        lm_json *pair, *list = array(s, consequence ? 2 : 1, &pair);
        if (!list) return NULL;
        pair[0] = i == 0 ? *condition : *negated;
        if (consequence) pair[1] = *consequence;
        lm_json *branch = object(s, "allOf", list, NULL, NULL);
        if (!branch) return NULL;
        items[i] = *branch;
    }
    return out;
}
