/* SPDX-License-Identifier: MIT
 * Arrays. Leading positions (prefixItems, or items as a list) have schemas of their own; what follows shares one. Where
 * leading positions are given and nothing is said of the rest, the array ends with them, unless it must be longer. */
#include "json_schema.h"

#define MAX_COUNTED 64u /* items, where some of them must contain something */

typedef struct array_builder {
    lm_schema *schema;
    const lm_schema_flat *flat;
    lm_schema_parts parts; /* of the item at hand */
    lm_schema_edges edges;
} array_builder;

static const lm_json *prefix_of(const lm_json *node) {
    const lm_json *prefix = lm_json_get(node, "prefixItems");
    if (prefix) return prefix;
    prefix = lm_json_get(node, "items");
    return lm_json_is(prefix, LM_JSON_ARRAY) ? prefix : NULL;
}

/* The schema of items behind the prefix; NULL when nothing is said. */
static const lm_json *rest_of(const lm_json *node) {
    const lm_json *items = lm_json_get(node, "items");
    return lm_json_is(items, LM_JSON_ARRAY) ? lm_json_get(node, "additionalItems") : items;
}

/* What all nodes say of the item at index becomes parts; false: there cannot be one. */
static bool find_parts(array_builder *b, size_t index) {
    bool closed = false;
    b->parts.count = 0;
    for (size_t i = 0; i < b->flat->parts.count; i++) {
        const lm_json *node = b->flat->parts.data[i].node, *prefix = prefix_of(node);
        const lm_json *item = prefix ? lm_json_at(prefix, index) : NULL;
        if (!item) item = rest_of(node);
        if (!item && prefix && index >= b->flat->min_items) closed = true;
        if (lm_json_is(item, LM_JSON_BOOL)) {
            if (!item->boolean) closed = true;
            continue;
        }
        lm_schema_part part = {item, b->flat->parts.data[i].skip & LM_SCHEMA_AVOIDED};
        if (item) lm_schema_push(b->schema, &b->parts, part);
    }
    return !closed;
}

/* The item at index, for which more must hold too. *closed: there cannot be one. */
static lm_gexpr item_at(array_builder *b, size_t index, const lm_schema_part *more, bool *closed) {
    *closed = !find_parts(b, index);
    if (more) lm_schema_push(b->schema, &b->parts, *more);
    return *closed ? LM_GEXPR_NEVER : lm_schema_conjunction(b->schema, b->parts.data, b->parts.count);
}

static void add_edge(array_builder *b, uint32_t from, uint32_t to, lm_gexpr expr) {
    lm_schema_edge(b->schema, &b->edges, from, to, expr);
}

/* State 2 + i: i items are written. */
static lm_gexpr items(array_builder *b, uint32_t n_prefix) {
    lm_schema *s = b->schema;
    uint32_t least = b->flat->min_items, most = b->flat->max_items;
    lm_gexpr comma = lm_schema_comma(s);
    bool closed = false;
    uint32_t written = 0;
    add_edge(b, 0, 2, LM_GEXPR_EMPTY);
    for (; written < n_prefix && written < most; written++) {
        lm_gexpr item = item_at(b, written, NULL, &closed);
        if (written >= least) add_edge(b, 2 + written, 1, LM_GEXPR_EMPTY);
        if (closed) break;
        add_edge(b, 2 + written, 3 + written, written ? lm_gexpr_seq2(s->pool, comma, item) : item);
    }
    if (!closed) {
        lm_gexpr rest = written < most ? item_at(b, n_prefix, NULL, &closed) : LM_GEXPR_NEVER;
        uint32_t need = least > written ? least - written : 0;
        uint32_t room = most == LM_GRAMMAR_UNBOUNDED ? most : most - written;
        if (written == 0)
            add_edge(b, 2, 1,
                     lm_gexpr_alt2(s->pool, need ? LM_GEXPR_NEVER : LM_GEXPR_EMPTY,
                                   rest ? lm_schema_list(s, rest, need ? need : 1, room) : LM_GEXPR_NEVER));
        else
            add_edge(b, 2 + written, 1, lm_gexpr_repeat(s->pool, lm_gexpr_seq2(s->pool, comma, rest), need, room));
    }
    return lm_gexpr_net(s->pool, b->edges.data, b->edges.count, 3 + n_prefix);
}

/* As many items as wanted satisfy the contained schema too. State 2 + i * width + c: i items are written, or more where more
 * than that makes no difference, and c of them are such, or more. */
static lm_gexpr items_containing(array_builder *b) {
    lm_schema *s = b->schema;
    const lm_schema_flat *flat = b->flat;
    const lm_schema_part *wanted = &flat->contains.data[0];
    bool limited = flat->max_contains != LM_GRAMMAR_UNBOUNDED, bounded = flat->max_items != LM_GRAMMAR_UNBOUNDED,
         closed;
    uint32_t last = bounded ? flat->max_items : flat->min_items > 1 ? flat->min_items : 1;
    uint32_t width = 1 + (limited ? flat->max_contains : flat->min_contains);
    if (last > MAX_COUNTED || width > MAX_COUNTED || last * width > 4 * MAX_COUNTED || flat->contains.count > 1) {
        lm_schema_refuse(s, LM_ERR_UNSUPPORTED, wanted->node,
                         "keyword \"contains\" more than once or with large counts");
        return LM_GEXPR_NEVER;
    }
    /* Where there may be too many, the others must be none. */
    const lm_json one = {.type = LM_JSON_ARRAY, .count = 1, .items = wanted->node},
                  *others = limited ? lm_schema_excluding(s, &one) : NULL;
    lm_schema_part other = {others ? others->items : NULL, wanted->skip};
    lm_gexpr choices[2] = {item_at(b, 0, others ? &other : NULL, &closed), item_at(b, 0, wanted, &closed)};
    if (closed) return flat->min_contains == 0 && flat->min_items == 0 ? LM_GEXPR_EMPTY : LM_GEXPR_NEVER;
    lm_gexpr comma = lm_schema_comma(s);
    add_edge(b, 0, 2, LM_GEXPR_EMPTY);
    for (uint32_t i = 0; i <= last; i++) {
        for (uint32_t c = 0; c < (i ? width : 1); c++) {
            uint32_t at = 2 + i * width + c, next = i < last ? at + width : at;
            if (i >= flat->min_items && c >= flat->min_contains) add_edge(b, at, 1, LM_GEXPR_EMPTY);
            for (uint32_t k = 0; k < 2 && (i < last || !bounded); k++)
                if (c + k < width)
                    add_edge(b, at, next + k, i ? lm_gexpr_seq2(s->pool, comma, choices[k]) : choices[k]);
        }
    }
    return lm_gexpr_net(s->pool, b->edges.data, b->edges.count, 2 + (last + 1) * width);
}

lm_gexpr lm_schema_array(lm_schema *s, const lm_schema_flat *flat) {
    if (flat->min_items > flat->max_items) return LM_GEXPR_NEVER;
    array_builder b = {.schema = s, .flat = flat};
    uint32_t n_prefix = 0;
    for (size_t i = 0; i < flat->parts.count; i++) {
        const lm_json *prefix = prefix_of(flat->parts.data[i].node);
        if (prefix && prefix->count > n_prefix) n_prefix = prefix->count < 100000 ? (uint32_t)prefix->count : 100000;
    }
    lm_gexpr inner;
    if (flat->unique && flat->max_items > 1) {
        if (flat->contains.count > 0 || n_prefix > 0)
            lm_schema_refuse(s, LM_ERR_UNSUPPORTED, flat->unique,
                             "keyword \"uniqueItems\" together with positions or contains");
        if (find_parts(&b, 0))
            inner = lm_schema_unique_items(s, flat, b.parts.data, b.parts.count);
        else
            inner = flat->min_items > 0 ? LM_GEXPR_NEVER : LM_GEXPR_EMPTY;
    } else if (flat->contains.count > 0 && (flat->min_contains > 0 || flat->max_contains != LM_GRAMMAR_UNBOUNDED)) {
        if (n_prefix > 0)
            lm_schema_refuse(s, LM_ERR_UNSUPPORTED, flat->contains.data[0].node,
                             "keyword \"contains\" together with positions");
        inner = items_containing(&b);
    } else {
        inner = items(&b, n_prefix);
    }
    lm_array_free(s->env, &b.parts);
    lm_array_free(s->env, &b.edges);
    return lm_schema_enclosed(s, "[", inner, "]");
}
