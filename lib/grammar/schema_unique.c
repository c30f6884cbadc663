/* SPDX-License-Identifier: MIT
 * Arrays in which no item occurs twice. An automaton remembers nothing but its state, so what was written before must be a
 * state: where items are a few known values there is one for each set of them. Items of any other kind are refused. */
#include "json_schema.h"

#include "../base/format.h"

#define MAX_VALUES 8u     /* 2^n states, n * 2^(n-1) edges: up to 20 ms to compile */
#define MAX_BRANCHES 200u /* combinations of anyOf looked into */

typedef struct unique {
    lm_schema *schema;
    const lm_json *where; /* the schema that asks for it */
    lm_gexpr exprs[MAX_VALUES];
    const lm_json *values[MAX_VALUES];
    uint32_t count, n_branches;
} unique;

static void refuse(unique *u) {
    lm_schema_refuse(u->schema, LM_ERR_UNSUPPORTED, u->where,
                     "keyword \"uniqueItems\" of items that are not at most %u known values", MAX_VALUES);
}

static void add(unique *u, const lm_schema_flat *flat, const lm_json *value) {
    for (uint32_t i = 0; i < u->count; i++)
        if (lm_schema_equal(u->values[i], value)) return;
    lm_gexpr expr = lm_schema_enumerated(u->schema, flat, value);
    if (expr == LM_GEXPR_NEVER) return;
    if (u->count == MAX_VALUES) {
        refuse(u);
        return;
    }
    u->exprs[u->count] = expr;
    u->values[u->count++] = value;
}

/* The integer before the point; false where that is far from 0. */
static bool to_integer(const lm_schema_decimal *decimal, int32_t *out) {
    int32_t value = 0;
    if (!decimal->given || decimal->n_integer > 8) return false;
    for (uint32_t i = 0; i < decimal->n_integer; i++) value = value * 10 + (decimal->digits[i] - '0');
    *out = decimal->negative ? -value : value;
    return true;
}

static void add_integers(unique *u, const lm_schema_flat *flat) {
    int32_t least, most;
    if (!to_integer(&flat->least, &least) || !to_integer(&flat->most, &most) || most - least > 1000) {
        refuse(u);
        return;
    }
    for (int32_t i = least; i <= most && u->schema->status == LM_OK; i++) {
        char text[16];
        size_t n = lm_format(text, sizeof text, "%d", (int)i);
        lm_json *number = lm_arena_alloc_array(&u->schema->arena, 1, sizeof *number);
        char *copy = lm_arena_copy(&u->schema->arena, text, n);
        if (!number || !copy) {
            lm_schema_memory(u->schema);
            return;
        }
        *number = (lm_json){.type = LM_JSON_NUMBER, .is_integer = true, .count = n, .text = copy};
        add(u, flat, number);
    }
}

/* All values of a conjunction. */
static void gather(unique *u, const lm_schema_part *parts, size_t n) {
    static const lm_json simple[] = {
        {.type = LM_JSON_NULL}, {.type = LM_JSON_BOOL}, {.type = LM_JSON_BOOL, .boolean = true}};
    lm_schema *s = u->schema;
    lm_schema_flat flat;
    if (lm_schema_flatten(s, parts, n, &flat) != LM_OK || flat.never) {
        lm_schema_flat_free(s, &flat);
        return;
    }
    if (flat.choice) {
        lm_schema_parts branch = {0};
        for (size_t i = 0; s->status == LM_OK && i < flat.choice->count; i++) {
            if (++u->n_branches > MAX_BRANCHES)
                refuse(u);
            else if (lm_schema_branch(s, &flat, i, &branch))
                gather(u, branch.data, branch.count);
        }
        lm_array_free(s->env, &branch);
    } else if (flat.has_values) {
        for (size_t i = 0; s->status == LM_OK && i < flat.values.count; i++) add(u, &flat, flat.values.data[i]);
    } else if (flat.types & ~(uint32_t)(LM_SCHEMA_NULL | LM_SCHEMA_FALSE | LM_SCHEMA_TRUE | LM_SCHEMA_INTEGER)) {
        refuse(u);
    } else {
        for (uint32_t i = 0; i < 3; i++) /* the first type bits */
            if (flat.types & 1u << i) add(u, &flat, &simple[i]);
        if (flat.types & LM_SCHEMA_INTEGER) add_integers(u, &flat);
    }
    lm_schema_flat_free(s, &flat);
}

static uint32_t size_of(uint32_t set) {
    uint32_t n = 0;
    for (; set; set &= set - 1) n++;
    return n;
}

/* State 2 + set: the values of that set are written, bit i for values[i]. */
static lm_gexpr items(unique *u, uint32_t least, uint32_t most) {
    lm_schema *s = u->schema;
    lm_gexpr comma = lm_schema_comma(s);
    lm_schema_edges edges = {0};
    lm_schema_edge(s, &edges, 0, 2, LM_GEXPR_EMPTY);
    for (uint32_t set = 0; set < 1u << u->count; set++) {
        uint32_t n = size_of(set);
        if (n > most) continue;
        if (n >= least) lm_schema_edge(s, &edges, 2 + set, 1, LM_GEXPR_EMPTY);
        for (uint32_t i = 0; i < u->count && n < most; i++) {
            if (set & 1u << i) continue;
            lm_gexpr item = set ? lm_gexpr_seq2(s->pool, comma, u->exprs[i]) : u->exprs[i];
            lm_schema_edge(s, &edges, 2 + set, 2 + (set | 1u << i), item);
        }
    }
    lm_gexpr out = lm_gexpr_net(s->pool, edges.data, edges.count, 2 + (1u << u->count));
    lm_array_free(s->env, &edges);
    return out;
}

lm_gexpr lm_schema_unique_items(lm_schema *s, const lm_schema_flat *flat, const lm_schema_part *parts, size_t n) {
    unique u = {.schema = s, .where = flat->unique};
    gather(&u, parts, n);
    return s->status == LM_OK ? items(&u, flat->min_items, flat->max_items) : LM_GEXPR_NEVER;
}
