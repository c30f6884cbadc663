/* SPDX-License-Identifier: MIT
 * Objects. Declared members come in the order of their declaration, the optional ones may be left out, undeclared ones follow
 * where they are allowed. One graph does it: a state for each place in the order, twice, for whether a member has been
 * written and the next wants a comma; so its size is linear in the number of members.
 *
 * Member names are compared in their canonical spelling. What patternProperties and propertyNames ask of a name is decided by
 * intersecting the name with the pattern, for declared and undeclared names alike. */
#include <string.h>

#include "json_schema.h"

#define MAX_NAME_PATTERNS 4u
#define MAX_COUNTED 1024u /* states, where members are counted */

typedef struct object_builder {
    lm_schema *schema;
    const lm_schema_flat *flat;
    LM_ARRAY(const lm_json_member *) patterns; /* of patternProperties */
    lm_schema_exprs pattern_names;             /* the names each of them matches */
    bool has_names;
    lm_gexpr names; /* what propertyNames allows, where has_names */
    LM_ARRAY(lm_schema_part) parts;
    lm_schema_edges edges;
    lm_schema_exprs choices;
    bool *evaluated; /* [parts of flat], of the member at hand; NULL where none has unevaluatedProperties */
} object_builder;

static void push_part(object_builder *b, const lm_json *node, uint32_t skip) {
    lm_schema_part part = {node, skip & LM_SCHEMA_AVOIDED};
    if (node) lm_schema_push(b->schema, &b->parts, part);
}

static bool node_matches(const lm_json *node, const lm_json_member *pattern) {
    const lm_json *patterns = lm_json_get(node, "patternProperties");
    return lm_json_is(patterns, LM_JSON_OBJECT) && patterns->count > 0 && pattern >= patterns->members &&
           pattern < patterns->members + patterns->count;
}

/* What a node says of a member declares it, or a name pattern of the node matches it. */
static bool covers(const object_builder *b, const lm_json *node, const lm_schema_key *key, uint32_t matches) {
    if (key && lm_json_find(lm_json_get(node, "properties"), key->name, key->size)) return true;
    for (uint32_t k = 0; k < b->patterns.count; k++)
        if ((matches >> k & 1) && node_matches(node, b->patterns.data[k])) return true;
    return false;
}

/* To the part that led to the one at hand, if any did and not by being negated. */
static bool go_back(const lm_schema_part *parts, size_t *at) {
    uint32_t skip = parts[*at].skip;
    if ((skip & LM_SCHEMA_DENIED) || !(skip >> LM_SCHEMA_PARENT)) return false;
    *at = (skip >> LM_SCHEMA_PARENT) - 1;
    return true;
}

/* Mark the parts that say something of a member, and those that led to them: their unevaluatedProperties does not. */
static void mark_evaluated(object_builder *b, const lm_schema_key *key, uint32_t matches) {
    const lm_schema_part *parts = b->flat->parts.data;
    memset(b->evaluated, 0, b->flat->parts.count * sizeof *b->evaluated);
    for (size_t i = 0; i < b->flat->parts.count && lm_schema_work(b->schema, 1); i++) {
        const lm_json *node = parts[i].node;
        bool says = covers(b, node, key, matches) || lm_json_get(node, "additionalProperties");
        size_t at = i;
        if (!says && !(lm_json_get(node, "unevaluatedProperties") && go_back(parts, &at))) continue;
        while (!b->evaluated[at]) {
            b->evaluated[at] = true;
            if (!go_back(parts, &at)) break;
        }
    }
}

/* The value of a member, given which name patterns match it (bits) and its name (NULL: an undeclared one). */
static lm_gexpr value_of(object_builder *b, const lm_schema_key *key, uint32_t matches) {
    const lm_schema_flat *flat = b->flat;
    b->parts.count = 0;
    if (b->evaluated) mark_evaluated(b, key, matches);
    for (size_t i = 0; i < flat->parts.count; i++) {
        const lm_json *node = flat->parts.data[i].node;
        uint32_t skip = flat->parts.data[i].skip;
        const lm_json *declared = key ? lm_json_find(lm_json_get(node, "properties"), key->name, key->size) : NULL;
        push_part(b, declared, skip);
        for (uint32_t k = 0; k < b->patterns.count; k++)
            if ((matches >> k & 1) && node_matches(node, b->patterns.data[k]))
                push_part(b, &b->patterns.data[k]->value, skip);
        if (!covers(b, node, key, matches)) push_part(b, lm_json_get(node, "additionalProperties"), skip);
        if (b->evaluated && !b->evaluated[i]) push_part(b, lm_json_get(node, "unevaluatedProperties"), skip);
    }
    return lm_schema_conjunction(b->schema, b->parts.data, b->parts.count);
}

/* A member: its name (between the quotes), colon and value, one alternative for each way the patterns may match. */
static lm_gexpr member_of(object_builder *b, const lm_schema_key *key, lm_gexpr name) {
    lm_schema *s = b->schema;
    b->choices.count = 0;
    if (b->has_names) name = lm_gexpr_both(s->pool, name, b->names);
    for (uint32_t matches = 0; matches < 1u << b->patterns.count; matches++) {
        lm_gexpr here = name;
        for (uint32_t k = 0; k < b->patterns.count; k++)
            here = matches >> k & 1 ? lm_gexpr_both(s->pool, here, b->pattern_names.data[k])
                                    : lm_gexpr_except(s->pool, here, b->pattern_names.data[k]);
        lm_gexpr choice = lm_schema_member(s, here, value_of(b, key, matches));
        lm_schema_push(s, &b->choices, choice);
    }
    return lm_gexpr_alt(s->pool, b->choices.data, b->choices.count);
}

bool lm_schema_writes(const lm_schema_flat *flat, const lm_schema_key *key) {
    if (key && key->declared) return true;
    return flat->patterned || (!flat->closed && (flat->open || !flat->has_members));
}

/* Undeclared members are allowed as long as some name can match. */
static lm_gexpr undeclared(object_builder *b) {
    lm_schema *s = b->schema;
    const lm_schema_flat *flat = b->flat;
    lm_schema_exprs declared = {0};
    if (!lm_schema_writes(flat, NULL)) return LM_GEXPR_NEVER;
    for (size_t i = 0; i < flat->keys.count; i++) {
        lm_gexpr name = lm_schema_canonical_text(s, flat->keys.data[i].name, flat->keys.data[i].size);
        lm_schema_push(s, &declared, name);
    }
    lm_gexpr chars =
        declared.count || b->patterns.count || b->has_names ? lm_schema_canonical_char(s) : lm_schema_any_char(s);
    lm_gexpr name = lm_gexpr_repeat(s->pool, chars, 0, LM_GRAMMAR_UNBOUNDED);
    if (declared.count > 0) name = lm_gexpr_except(s->pool, name, lm_gexpr_alt(s->pool, declared.data, declared.count));
    lm_array_free(s->env, &declared);
    /* Where only matching names are allowed, the values of the others are false and drop out. */
    if (!flat->open && flat->has_members && b->patterns.count > 0) {
        lm_gexpr any = lm_gexpr_alt(s->pool, b->pattern_names.data, b->pattern_names.count);
        name = lm_gexpr_both(s->pool, name, any);
    }
    return member_of(b, NULL, name);
}

static void add_edge(object_builder *b, uint32_t from, uint32_t to, lm_gexpr expr) {
    lm_schema_edge(b->schema, &b->edges, from, to, expr);
}

/* A member's expression is used twice; as a rule it is built once where that pays. */
static lm_gexpr shared(lm_schema *s, lm_gexpr member) {
    uint32_t rule = lm_gexpr_add_rule(s->pool, "member", 6);
    if (rule == UINT32_MAX) return LM_GEXPR_EMPTY;
    s->pool->rules.data[rule].expr = member;
    s->pool->rules.data[rule].defined = true;
    return lm_gexpr_rule(s->pool, rule);
}

/* State 2 + width * i + c: the first i keys are decided, and c members have been written, or more where that makes no
 * difference. */
static lm_gexpr members(object_builder *b) {
    lm_schema *s = b->schema;
    const lm_schema_flat *flat = b->flat;
    uint32_t n = (uint32_t)flat->keys.count, required = 0, fewest = 0;
    lm_gexpr comma = lm_schema_comma(s);
    for (uint32_t i = 0; i < n; i++) required += flat->keys.data[i].required;
    lm_gexpr extra = undeclared(b);
    if (n == 0) { /* names of one kind only: count them */
        if (extra == LM_GEXPR_NEVER) return flat->min_members > 0 ? LM_GEXPR_NEVER : LM_GEXPR_EMPTY;
        return lm_schema_list(s, extra, flat->min_members, flat->max_members);
    }
    bool limited = flat->max_members < n || (flat->max_members != LM_GRAMMAR_UNBOUNDED && extra != LM_GEXPR_NEVER);
    uint32_t least = flat->min_members > required ? flat->min_members : 0;
    uint32_t width = 1 + (limited ? flat->max_members : least > 1 ? least : 1);
    if ((uint64_t)width * (n + 1) > MAX_COUNTED && width > 2) {
        lm_schema_refuse(s, LM_ERR_UNSUPPORTED, flat->parts.data[0].node,
                         "keyword \"%s\" too large beside %u properties", limited ? "maxProperties" : "minProperties",
                         n);
        return LM_GEXPR_NEVER;
    }
    add_edge(b, 0, 2, LM_GEXPR_EMPTY);
    for (uint32_t i = 0; i <= n; i++) {
        const lm_schema_key *key = i < n ? &flat->keys.data[i] : NULL;
        lm_gexpr member = key ? LM_GEXPR_NEVER : extra;
        if (key && lm_schema_writes(flat, key))
            member = member_of(b, key, lm_schema_canonical_text(s, key->name, key->size));
        if (i > 0 && (fewest == 0 || width > 2) && member != LM_GEXPR_NEVER) member = shared(s, member);
        lm_gexpr further = i > 0 ? lm_gexpr_seq2(s->pool, comma, member) : LM_GEXPR_NEVER;
        for (uint32_t c = fewest < width ? fewest : width - !limited; c < width && (c <= i || !key); c++) {
            uint32_t at = 2 + width * i + c, next = c + 1 < width || limited ? c + 1 : c;
            if (next < width) add_edge(b, at, 2 + width * (key ? i + 1 : i) + next, c ? further : member);
            if (key && !key->required) add_edge(b, at, at + width, LM_GEXPR_EMPTY);
            if (!key && c >= least) add_edge(b, at, 1, LM_GEXPR_EMPTY);
        }
        fewest += key && key->required;
    }
    return lm_gexpr_net(s->pool, b->edges.data, b->edges.count, 2 + width * (n + 1));
}

static void read_names(object_builder *b) {
    lm_schema *s = b->schema;
    const lm_schema_flat *flat = b->flat;
    for (size_t i = 0; i < flat->matching.count; i++) {
        const lm_json *patterns = flat->matching.data[i];
        for (size_t k = 0; k < patterns->count; k++) {
            const lm_json_member *member = &patterns->members[k];
            lm_gexpr names = lm_schema_pattern(s, &member->value, member->name, member->name_size);
            lm_schema_push(s, &b->patterns, member);
            lm_schema_push(s, &b->pattern_names, names);
        }
    }
    if (b->patterns.count > MAX_NAME_PATTERNS) {
        lm_schema_refuse(s, LM_ERR_UNSUPPORTED, flat->matching.data[0],
                         "keyword \"patternProperties\" with more than %u patterns", MAX_NAME_PATTERNS);
        b->patterns.count = MAX_NAME_PATTERNS;
    }
    for (size_t i = 0; i < flat->names.count; i++) {
        lm_schema_flat name;
        lm_schema_part part = {flat->names.data[i], 0};
        lm_gexpr allowed = LM_GEXPR_NEVER;
        if (lm_schema_flatten(s, &part, 1, &name) == LM_OK && !name.never && (name.types & LM_SCHEMA_STRING)) {
            if (name.choice)
                lm_schema_refuse(s, LM_ERR_UNSUPPORTED, part.node, "keyword \"propertyNames\" with a choice");
            allowed = lm_schema_string_inner(s, &name);
            if (name.has_values) {
                lm_schema_exprs texts = {0};
                for (size_t k = 0; k < name.values.count; k++) {
                    const lm_json *value = name.values.data[k];
                    if (value->type != LM_JSON_STRING) continue;
                    lm_gexpr text = lm_schema_canonical_text(s, value->text, value->count);
                    lm_schema_push(s, &texts, text);
                }
                allowed = lm_gexpr_both(s->pool, allowed, lm_gexpr_alt(s->pool, texts.data, texts.count));
                lm_array_free(s->env, &texts);
            }
        }
        lm_schema_flat_free(s, &name);
        b->names = b->has_names ? lm_gexpr_both(s->pool, b->names, allowed) : allowed;
        b->has_names = true;
    }
}

lm_gexpr lm_schema_object(lm_schema *s, const lm_schema_flat *flat) {
    object_builder b = {.schema = s, .flat = flat};
    if (flat->min_members > flat->max_members) return LM_GEXPR_NEVER;
    bool unevaluated = false;
    for (size_t i = 0; i < flat->parts.count; i++)
        unevaluated = unevaluated || lm_json_get(flat->parts.data[i].node, "unevaluatedProperties");
    if (unevaluated && !(b.evaluated = lm_alloc_array(s->env, flat->parts.count, sizeof *b.evaluated)))
        lm_schema_memory(s);
    read_names(&b);
    lm_gexpr inner = s->status == LM_OK ? members(&b) : LM_GEXPR_NEVER;
    lm_array_free(s->env, &b.patterns);
    lm_array_free(s->env, &b.pattern_names);
    lm_array_free(s->env, &b.parts);
    lm_array_free(s->env, &b.edges);
    lm_array_free(s->env, &b.choices);
    if (unevaluated) lm_free(s->env, b.evaluated, flat->parts.count * sizeof *b.evaluated);
    return lm_schema_enclosed(s, "{", inner, "}");
}
