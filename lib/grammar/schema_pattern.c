/* SPDX-License-Identifier: MIT
 * Patterns of schemas. A pattern searches: where it is not anchored, any text may stand before or behind. So each node is
 * translated knowing whether its left edge is the beginning of what may be searched, and its right edge the end. Anchors mean
 * something at those edges alone, and are refused elsewhere. A lookahead looks from its place to the end of the text: it is an
 * intersection with (or a difference from) what follows it; at the beginning of the text it may say so with another ^. */
#include <string.h>

#include "json_schema.h"

/* What a left edge is: within the text, anywhere in it as nothing has been read, or its beginning. */
typedef enum left_edge { WITHIN, ANYWHERE, BEGINNING } left_edge;

typedef struct translator {
    lm_schema *schema;
    const lm_json *where;
    const lm_regex *regex;
} translator;

static lm_gexpr any_text(translator *t) {
    return lm_gexpr_repeat(t->schema->pool, lm_schema_canonical_char(t->schema), 0, LM_GRAMMAR_UNBOUNDED);
}

static lm_gexpr refuse(translator *t, const char *what) {
    lm_schema_refuse(t->schema, LM_ERR_UNSUPPORTED, t->where, "pattern with %s", what);
    return LM_GEXPR_NEVER;
}

/* A node without anchors. */
static lm_gexpr plain(translator *t, uint32_t id) {
    const lm_regex_node *node = &t->regex->nodes.data[id];
    lm_gexpr_pool *pool = t->schema->pool;
    if (node->anchored) return refuse(t, "an anchor or lookahead in its middle");
    switch (node->kind) {
    case LM_REGEX_CLASS: return lm_schema_canonical_class(t->schema, t->regex->ranges.data + node->a, node->b);
    case LM_REGEX_REPEAT: return lm_gexpr_repeat(pool, plain(t, node->a), node->b, node->c);
    case LM_REGEX_GROUP: return plain(t, node->a);
    case LM_REGEX_SEQ:
    case LM_REGEX_ALT: {
        lm_gexpr out = node->kind == LM_REGEX_SEQ ? LM_GEXPR_EMPTY : LM_GEXPR_NEVER;
        lm_gexpr *kids = lm_alloc_array(t->schema->env, node->b, sizeof *kids);
        if (!kids) {
            lm_schema_memory(t->schema);
            return out;
        }
        for (uint32_t i = 0; i < node->b; i++) kids[i] = plain(t, t->regex->kids.data[node->a + i]);
        out = node->kind == LM_REGEX_SEQ ? lm_gexpr_seq(pool, kids, node->b) : lm_gexpr_alt(pool, kids, node->b);
        lm_free(t->schema->env, kids, node->b * sizeof *kids);
        return out;
    }
    default: return LM_GEXPR_EMPTY;
    }
}

static lm_gexpr edge(translator *t, uint32_t id, left_edge left, bool right);

/* The left edge of the element behind n kids. */
static left_edge behind(const translator *t, const uint32_t *kids, uint32_t n, left_edge left) {
    left_edge at = left;
    for (uint32_t i = 0; i < n; i++) {
        uint8_t kind = t->regex->nodes.data[kids[i]].kind;
        if (kind == LM_REGEX_BEGIN && at == ANYWHERE) at = BEGINNING;
        if (kind != LM_REGEX_BEGIN && (kind != LM_REGEX_LOOK || at == ANYWHERE)) at = WITHIN;
    }
    return at;
}

/* A sequence, from its right end: rest is what follows the element at hand, and fresh says that rest is still nothing but the
 * text that may follow an unanchored pattern. */
static lm_gexpr sequence(translator *t, const uint32_t *kids, uint32_t n, left_edge left, bool right) {
    lm_gexpr_pool *pool = t->schema->pool;
    lm_gexpr rest = right ? any_text(t) : LM_GEXPR_EMPTY;
    bool fresh = true;
    for (uint32_t i = n; i-- > 0;) {
        const lm_regex_node *node = &t->regex->nodes.data[kids[i]];
        bool first = left != WITHIN && i == 0;
        if (node->kind == LM_REGEX_BEGIN) {
            left_edge here = behind(t, kids, i, left);
            if (here == WITHIN) return refuse(t, "^ in its middle");
            if (here == ANYWHERE) return rest;
            continue;
        }
        if (node->kind == LM_REGEX_END) {
            if (!right || !fresh) return refuse(t, "$ in its middle");
            rest = LM_GEXPR_EMPTY;
            fresh = false;
        } else if (node->kind == LM_REGEX_LOOK) {
            if (!right) return refuse(t, "a lookahead inside a group that does not end it");
            left_edge from = behind(t, kids, i, left);
            lm_gexpr seen = edge(t, node->a, from == BEGINNING ? from : WITHIN, true);
            rest = node->b ? lm_gexpr_except(pool, rest, seen) : lm_gexpr_both(pool, rest, seen);
            fresh = false;
        } else if (node->kind == LM_REGEX_REPEAT && node->anchored) {
            return refuse(t, "a repeated anchor or lookahead");
        } else if (node->anchored) {
            bool last = right && fresh;
            lm_gexpr here = edge(t, kids[i], behind(t, kids, i, left), last);
            rest = last ? here : lm_gexpr_seq2(pool, here, rest);
            fresh = false;
            if (first) return rest;
        } else {
            rest = lm_gexpr_seq2(pool, plain(t, kids[i]), rest);
            fresh = false;
        }
    }
    return left == ANYWHERE ? lm_gexpr_seq2(pool, any_text(t), rest) : rest;
}

static lm_gexpr edge(translator *t, uint32_t id, left_edge left, bool right) {
    const lm_regex_node *node = &t->regex->nodes.data[id];
    if (node->kind == LM_REGEX_GROUP) return edge(t, node->a, left, right);
    if (node->kind == LM_REGEX_SEQ) return sequence(t, t->regex->kids.data + node->a, node->b, left, right);
    if (node->kind != LM_REGEX_ALT) return sequence(t, &id, node->kind == LM_REGEX_EMPTY ? 0 : 1, left, right);
    lm_gexpr *kids = lm_alloc_array(t->schema->env, node->b, sizeof *kids);
    if (!kids) {
        lm_schema_memory(t->schema);
        return LM_GEXPR_NEVER;
    }
    for (uint32_t i = 0; i < node->b; i++) kids[i] = edge(t, t->regex->kids.data[node->a + i], left, right);
    lm_gexpr out = lm_gexpr_alt(t->schema->pool, kids, node->b);
    lm_free(t->schema->env, kids, node->b * sizeof *kids);
    return out;
}

lm_gexpr lm_schema_raw(lm_schema *schema, const char *pattern) {
    schema->raw = true;
    lm_gexpr out = lm_schema_pattern(schema, schema->root, pattern, strlen(pattern));
    schema->raw = false;
    return out;
}

lm_gexpr lm_schema_pattern(lm_schema *schema, const lm_json *where, const char *pattern, size_t n) {
    lm_regex regex;
    const char *what = NULL;
    size_t at = 0;
    lm_gexpr out = LM_GEXPR_NEVER;
    lm_status status = lm_regex_parse(schema->env, pattern, n, schema->inverted, &regex, &what, &at);
    if (status == LM_ERR_MEMORY)
        lm_schema_memory(schema);
    else if (status != LM_OK)
        lm_schema_refuse(schema, status, where, "pattern: %s at byte %zu of %q", what, at, n, pattern);
    translator t = {schema, where, &regex};
    if (status == LM_OK) out = edge(&t, regex.root, ANYWHERE, true);
    lm_regex_free(&regex);
    return out;
}
