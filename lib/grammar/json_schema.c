/* SPDX-License-Identifier: MIT
 * The schema compiler's loop: every conjunction of schema nodes that occurs becomes a rule, found again through a hash table,
 * and the rules are worked off from a queue, so that neither recursion of schemas nor their depth costs stack. A conjunction
 * with a choice becomes the alternation of the conjunctions with each branch added; one without becomes the alternation of
 * its types.
 *
 * oneOf is exact: to a branch that may hold together with another, the other's negation is added (schema_apart.c tells where
 * that is needed, schema_negate.c makes it). Without a type, keywords that speak of one type mean values of that type. */
#include "json_schema.h"

#include <string.h>

#include "../base/format.h"

lm_status lm_schema_memory(lm_schema *s) {
    if (s->status == LM_OK) s->status = lm_error_memory(s->error);
    return s->status;
}

bool lm_schema_work(lm_schema *s, size_t n) {
    if (n > LM_SCHEMA_MAX_WORK - s->n_work)
        lm_schema_refuse(s, LM_ERR_LIMIT, s->root, "too many schemas to tell apart or to join");
    else
        s->n_work += (uint32_t)n;
    return s->status == LM_OK;
}

void lm_schema_push_bytes(lm_schema *s, void *array, const void *element, size_t size) {
    lm_array_any any;
    if (!lm_array_reserve_bytes(s->env, array, 1, size)) {
        lm_schema_memory(s);
        return;
    }
    memcpy(&any, array, sizeof any);
    memcpy((char *)any.data + any.count++ * size, element, size);
    memcpy(array, &any, sizeof any);
}

/* The JSON pointer of target, written to path: true when target is below at. */
static bool find_path(const lm_json *at, const lm_json *target, char *path, size_t n, size_t cap) {
    path[n] = '\0';
    /* Copies of an object, as negations hold them, share its members. */
    if (at == target || (at->type == target->type && at->type == LM_JSON_OBJECT && at->members == target->members))
        return true;
    if (at->type != LM_JSON_ARRAY && at->type != LM_JSON_OBJECT) return false;
    for (size_t i = 0; i < at->count; i++) {
        const lm_json *child = at->type == LM_JSON_ARRAY ? &at->items[i] : &at->members[i].value;
        size_t end = n;
        if (at->type == LM_JSON_ARRAY)
            end += lm_format(path + n, cap - n, "/%zu", i);
        else
            end += lm_format(path + n, cap - n, "/%s", at->members[i].name);
        if (find_path(child, target, path, end, cap)) return true;
    }
    path[n] = '\0';
    return false;
}

lm_status lm_schema_refuse(lm_schema *s, lm_status status, const lm_json *node, const char *format, ...) {
    char path[160], what[300];
    va_list arguments;
    if (s->status != LM_OK) return s->status;
    va_start(arguments, format);
    lm_format_list(what, sizeof what, format, arguments);
    va_end(arguments);
    if (!s->root || !find_path(s->root, node, path, 0, sizeof path)) lm_format(path, sizeof path, "(derived)");
    s->status = lm_error_set(s->error, status, "schema at \"%s\": %s", path[0] ? path : "#", what);
    return s->status;
}

static uint32_t hash_parts(const lm_schema_part *parts, size_t n) {
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < n; i++) hash = (hash ^ (uint64_t)(uintptr_t)parts[i].node ^ parts[i].skip) * 1099511628211u;
    return (uint32_t)(hash ^ hash >> 32);
}

static bool grow(lm_schema *s) {
    size_t n = s->n_heads ? s->n_heads * 2 : 64;
    uint32_t *heads = lm_alloc_array(s->env, n, sizeof *heads);
    if (!heads) return false;
    lm_free(s->env, s->heads, s->n_heads * sizeof *heads);
    s->heads = heads;
    s->n_heads = n;
    for (uint32_t i = 0; i < s->rules.count; i++) {
        lm_schema_rule *rule = &s->rules.data[i];
        uint32_t *head = &heads[hash_parts(s->parts.data + rule->first, rule->count) & (n - 1)];
        rule->next = *head;
        *head = i + 1;
    }
    return true;
}

lm_gexpr lm_schema_conjunction(lm_schema *s, const lm_schema_part *parts, size_t n) {
    if (!lm_schema_work(s, 4 * n)) return LM_GEXPR_NEVER;
    if (n == 0) return lm_schema_any(s);
    if (s->rules.count >= s->n_heads && !grow(s)) {
        lm_schema_memory(s);
        return LM_GEXPR_NEVER;
    }
    uint32_t *head = &s->heads[hash_parts(parts, n) & (s->n_heads - 1)];
    for (uint32_t i = *head; i; i = s->rules.data[i - 1].next) {
        const lm_schema_rule *rule = &s->rules.data[i - 1];
        bool same = rule->count == n;
        for (size_t k = 0; k < n && same; k++) {
            const lm_schema_part *part = &s->parts.data[rule->first + k];
            same = part->node == parts[k].node && part->skip == parts[k].skip;
        }
        if (same) return lm_gexpr_rule(s->pool, rule->rule);
    }
    if (s->rules.count >= LM_SCHEMA_MAX_RULES) {
        lm_schema_refuse(s, LM_ERR_LIMIT, parts[0].node, "more than %u combinations of schemas", LM_SCHEMA_MAX_RULES);
        return LM_GEXPR_NEVER;
    }
    lm_schema_rule made = {(uint32_t)s->parts.count, (uint32_t)n, lm_gexpr_add_rule(s->pool, "schema", 6), *head};
    if (made.rule == UINT32_MAX || !lm_array_reserve(s->env, &s->parts, n) || !lm_array_push(s->env, &s->rules, made)) {
        lm_schema_memory(s);
        return LM_GEXPR_NEVER;
    }
    memcpy(s->parts.data + s->parts.count, parts, n * sizeof *parts);
    s->parts.count += n;
    *head = (uint32_t)s->rules.count;
    return lm_gexpr_rule(s->pool, made.rule);
}

bool lm_schema_branch(lm_schema *s, const lm_schema_flat *flat, size_t which, lm_schema_parts *parts) {
    lm_schema_part branch = {&flat->choice->items[which], 0};
    bool known = false;
    parts->count = 0;
    if (!lm_array_reserve(s->env, parts, flat->parts.count + 1)) return lm_schema_memory(s) == LM_OK;
    for (size_t i = 0; i < flat->parts.count; i++) {
        lm_schema_part part = flat->parts.data[i];
        if (part.node == flat->choice_node) {
            part.skip |= flat->choice_skip;
            branch.skip = (part.skip & LM_SCHEMA_AVOIDED) | (uint32_t)(i + 1) << LM_SCHEMA_PARENT;
            if (!flat->choice_skip) branch.skip |= LM_SCHEMA_DENIED;
        }
        known = known || part.node == branch.node;
        parts->data[parts->count++] = part;
    }
    if (!known) parts->data[parts->count++] = branch;
    if (flat->choice_skip == LM_SCHEMA_SKIP_ONE_OF && !s->looking) lm_schema_exclude(s, flat, which, parts);
    return true;
}

/* One conjunction for each branch. */
static lm_gexpr choose(lm_schema *s, const lm_schema_flat *flat) {
    lm_schema_parts parts = {0};
    lm_schema_exprs branches = {0};
    for (size_t i = 0; i < flat->choice->count && lm_schema_branch(s, flat, i, &parts); i++) {
        lm_gexpr expr = lm_schema_conjunction(s, parts.data, parts.count);
        lm_schema_push(s, &branches, expr);
    }
    lm_gexpr out = lm_gexpr_alt(s->pool, branches.data, branches.count);
    lm_array_free(s->env, &parts);
    lm_array_free(s->env, &branches);
    return out;
}

static bool says_string(const lm_schema_flat *f) {
    return f->excluded.count > 0 || f->min_length > 0 || f->max_length != LM_GRAMMAR_UNBOUNDED ||
           f->patterns.count > 0 || f->formats.count > 0;
}
static bool says_number(const lm_schema_flat *f) { return f->least.given || f->most.given || f->multiples.count > 0; }
static bool says_array(const lm_schema_flat *f) {
    return f->min_items > 0 || f->max_items != LM_GRAMMAR_UNBOUNDED || f->has_items || f->contains.count > 0 ||
           f->unique;
}
static bool says_object(const lm_schema_flat *f) {
    return f->min_members > 0 || f->max_members != LM_GRAMMAR_UNBOUNDED || f->keys.count > 0 || f->has_members ||
           f->closed || f->open || f->matching.count > 0 || f->names.count > 0;
}

uint32_t lm_schema_types(const lm_schema_flat *flat) {
    return flat->said && !flat->typed && !flat->has_values ? flat->types & flat->said : flat->types;
}

lm_gexpr lm_schema_enumerated(lm_schema *s, const lm_schema_flat *flat, const lm_json *value) {
    uint32_t type = lm_schema_type_of(value);
    if (!(flat->types & type) || lm_schema_has_value(&flat->forbidden, value)) return LM_GEXPR_NEVER;
    bool array = type == LM_SCHEMA_ARRAY && says_array(flat), object = type == LM_SCHEMA_OBJECT && says_object(flat);
    if (array || object) {
        lm_schema_refuse(s, LM_ERR_UNSUPPORTED, value, "an enumerated value beside other keywords for %s",
                         array ? "arrays" : "objects");
        return LM_GEXPR_NEVER;
    }
    lm_gexpr expr = lm_schema_exactly(s, value);
    if (type == LM_SCHEMA_STRING && says_string(flat))
        return lm_gexpr_both(s->pool, expr, lm_schema_quoted(s, lm_schema_string_inner(s, flat)));
    if (type & LM_SCHEMA_NUMBER) {
        if (!lm_schema_number_fits(s, flat, value)) return LM_GEXPR_NEVER;
        if (flat->multiples.count > 0 || flat->excluded.count > 0)
            return lm_gexpr_both(s->pool, expr, lm_schema_number(s, flat));
    }
    return expr;
}

static lm_gexpr enumeration(lm_schema *s, const lm_schema_flat *flat) {
    lm_schema_exprs values = {0};
    for (size_t i = 0; i < flat->values.count; i++) {
        lm_gexpr value = lm_schema_enumerated(s, flat, flat->values.data[i]);
        if (value != LM_GEXPR_NEVER) lm_schema_push(s, &values, value);
    }
    lm_gexpr out = lm_gexpr_alt(s->pool, values.data, values.count);
    lm_array_free(s->env, &values);
    return out;
}

static lm_gexpr by_type(lm_schema *s, const lm_schema_flat *flat) {
    static const char words[][6] = {"null", "false", "true"};
    lm_gexpr choices[7];
    size_t n = 0;
    uint32_t types = flat->types;
    for (size_t i = 0; i < flat->forbidden.count; i++)
        if (types & lm_schema_type_of(flat->forbidden.data[i]) & (LM_SCHEMA_ARRAY | LM_SCHEMA_OBJECT))
            lm_schema_refuse(s, LM_ERR_UNSUPPORTED, flat->forbidden.data[i], "keyword \"not\" of an array or object");
    for (uint32_t i = 0; i < 3; i++) { /* the first type bits */
        const lm_json value = {.type = i ? LM_JSON_BOOL : LM_JSON_NULL, .boolean = i == 2};
        if ((types & 1u << i) && !lm_schema_has_value(&flat->forbidden, &value))
            choices[n++] = lm_schema_literal(s, words[i]);
    }
    if (types & LM_SCHEMA_NUMBER) choices[n++] = lm_schema_number(s, flat);
    if (types & LM_SCHEMA_STRING) choices[n++] = lm_schema_string(s, flat);
    if (types & LM_SCHEMA_ARRAY) choices[n++] = says_array(flat) ? lm_schema_array(s, flat) : lm_schema_any_array(s);
    if (types & LM_SCHEMA_OBJECT)
        choices[n++] = says_object(flat) ? lm_schema_object(s, flat) : lm_schema_any_object(s);
    return lm_gexpr_alt(s->pool, choices, n);
}

static lm_gexpr compile(lm_schema *s, lm_schema_flat *flat) {
    if (flat->never) return LM_GEXPR_NEVER;
    if (flat->choice) return choose(s, flat);
    if (flat->has_values) return enumeration(s, flat);
    flat->types = lm_schema_types(flat);
    bool says = says_string(flat) || says_number(flat) || says_array(flat) || says_object(flat);
    if (flat->types == LM_SCHEMA_ANY && !says && flat->forbidden.count == 0) return lm_schema_any(s);
    return by_type(s, flat);
}

/* The compiler says when the root matches nothing; its name tells of what is likely to be the reason. */
static void name_root(lm_schema *s, uint32_t root) {
    lm_gexpr text = lm_schema_literal(s, "schema whose oneOf has branches that overlap");
    if (s->pool->status != LM_OK) return;
    s->pool->rules.data[root].name = s->pool->nodes.data[text].a;
    s->pool->rules.data[root].name_length = s->pool->nodes.data[text].b;
}

lm_status lm_schema_compile(lm_gexpr_pool *pool, const char *text, size_t n, bool compact, uint32_t *root,
                            lm_error *error) {
    lm_schema s = {.env = pool->env, .pool = pool, .compact = compact, .error = error};
    lm_arena_init(&s.arena, pool->env, LM_ARENA_UNLIMITED);
    s.status = lm_json_parse(&s.arena, text, n, LM_SCHEMA_MAX_DEPTH, &s.root, error);
    if (s.status != LM_OK) goto out;
    lm_schema_part whole = {s.root, 0};
    (void)lm_schema_conjunction(&s, &whole, 1);
    for (size_t i = 0; s.status == LM_OK && i < s.rules.count; i++) {
        lm_schema_rule rule = s.rules.data[i];
        lm_schema_flat flat;
        /* A copy of the parts: the array grows while they are read. */
        lm_schema_part *parts = lm_alloc_array(s.env, rule.count, sizeof *parts);
        if (!parts) {
            lm_schema_memory(&s);
            break;
        }
        memcpy(parts, s.parts.data + rule.first, rule.count * sizeof *parts);
        lm_gexpr expr = LM_GEXPR_NEVER;
        if (lm_schema_flatten(&s, parts, rule.count, &flat) == LM_OK) expr = compile(&s, &flat);
        lm_schema_flat_free(&s, &flat);
        lm_free(s.env, parts, rule.count * sizeof *parts);
        if (pool->status != LM_OK && s.status == LM_OK) {
            if (pool->status == LM_ERR_MEMORY)
                lm_schema_memory(&s);
            else
                lm_schema_refuse(&s, pool->status, s.root, "too large");
        }
        pool->rules.data[rule.rule].expr = expr;
        pool->rules.data[rule.rule].defined = true;
    }
    if (s.status == LM_OK) *root = s.rules.data[0].rule;
    if (s.status == LM_OK && s.overlap) name_root(&s, *root);
out:
    lm_free(s.env, s.heads, s.n_heads * sizeof *s.heads);
    lm_schema_forget(&s);
    lm_array_free(s.env, &s.made);
    lm_array_free(s.env, &s.parts);
    lm_array_free(s.env, &s.rules);
    lm_arena_free(&s.arena);
    return s.status;
}
