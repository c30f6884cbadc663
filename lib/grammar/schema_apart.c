/* SPDX-License-Identifier: MIT
 * Can two schemas hold at once? A cheap look that says "no" only where that is certain: types, values, bounds, formats, and of
 * objects the names one asks for and the other does not have, and the values of names that are there. It keeps the branches of
 * oneOf as they are where a tag or a name of their own tells them apart, which is what most schemas mean by it.
 *
 * The question is not symmetric: a is what would be written, so that what our objects leave unwritten counts, b what any text
 * could satisfy. */
#include <string.h>

#include "json_schema.h"

#define MAX_DEPTH 8u

static bool admits(lm_schema *s, const lm_schema_flat *flat, const lm_json *value) {
    if (flat->has_values && !lm_schema_has_value(&flat->values, value)) return false;
    if (lm_schema_has_value(&flat->forbidden, value)) return false;
    bool bounded = value->type == LM_JSON_NUMBER && (flat->least.given || flat->most.given);
    return !bounded || lm_schema_number_fits(s, flat, value);
}

/* The types of which a value may satisfy both. */
static uint32_t common_types(lm_schema *s, const lm_schema_flat *a, const lm_schema_flat *b) {
    uint32_t types = (a->pending ? a->types : lm_schema_types(a)) & b->types, out = 0;
    const lm_schema_flat *few = a->has_values ? a : b;
    if (!few->has_values) return types;
    for (size_t i = 0; i < few->values.count && lm_schema_work(s, 1 + a->forbidden.count + b->values.count); i++) {
        const lm_json *value = few->values.data[i];
        uint32_t type = lm_schema_type_of(value) & types;
        if (type && !(out & type) && admits(s, a, value) && admits(s, b, value)) out |= type;
    }
    return out;
}

static bool below(const lm_schema_decimal *most, const lm_schema_decimal *least) {
    if (!most->given || !least->given) return false;
    int order = lm_schema_decimal_compare(most, least);
    return order < 0 || (order == 0 && (most->exclusive || least->exclusive));
}

static bool formats_apart(const lm_schema_flat *a, const lm_schema_flat *b) {
    bool one, other;
    for (size_t i = 0; i < a->formats.count; i++)
        for (size_t k = 0; k < b->formats.count; k++) {
            const char *pattern = lm_schema_format_pattern(a->formats.data[i], &one);
            if (pattern != lm_schema_format_pattern(b->formats.data[k], &other) && one && other) return true;
        }
    return false;
}

static bool flats_apart(lm_schema *s, const lm_schema_flat *a, const lm_schema_flat *b, uint32_t depth);

static bool parts_apart(lm_schema *s, const lm_schema_parts *a, bool pending, const lm_schema_parts *b,
                        uint32_t depth) {
    lm_schema_flat fa, fb;
    (void)lm_schema_collect(s, a->data, a->count, &fa);
    (void)lm_schema_collect(s, b->data, b->count, &fb);
    fa.pending = fa.pending || pending;
    bool out = s->status == LM_OK && flats_apart(s, &fa, &fb, depth + 1);
    lm_schema_flat_free(s, &fa);
    lm_schema_flat_free(s, &fb);
    return out;
}

static const lm_schema_key *find_key(const lm_schema_flat *flat, const lm_schema_key *key) {
    for (size_t i = 0; i < flat->keys.count; i++) {
        const lm_schema_key *known = &flat->keys.data[i];
        if (known->size == key->size && memcmp(known->name, key->name, key->size) == 0) return known;
    }
    return NULL;
}

/* What is declared of a member. */
static void declared(lm_schema *s, const lm_schema_flat *flat, const lm_schema_key *key, lm_schema_parts *out) {
    for (size_t i = 0; i < flat->parts.count; i++) {
        const lm_schema_part *from = &flat->parts.data[i];
        const lm_json *members = lm_json_get(from->node, "properties");
        lm_schema_part part = {lm_json_find(members, key->name, key->size), from->skip & LM_SCHEMA_AVOIDED};
        if (part.node) lm_schema_push(s, out, part);
    }
}

static bool members_apart(lm_schema *s, const lm_schema_flat *a, const lm_schema_flat *b, const lm_schema_key *key,
                          uint32_t depth) {
    lm_schema_parts pa = {0}, pb = {0};
    declared(s, a, key, &pa);
    declared(s, b, key, &pb);
    bool pending = a->pending || a->open || a->matching.count > 0; /* these may say more of it */
    bool out = pa.count > 0 && pb.count > 0 && parts_apart(s, &pa, pending, &pb, depth);
    lm_array_free(s->env, &pa);
    lm_array_free(s->env, &pb);
    return out;
}

static bool objects_apart(lm_schema *s, const lm_schema_flat *a, const lm_schema_flat *b, uint32_t depth) {
    if (!lm_schema_work(s, a->keys.count + a->keys.count * b->keys.count / 16)) return false;
    bool only_declared = b->closed && b->matching.count == 0;
    for (size_t i = 0; i < b->keys.count; i++) {
        const lm_schema_key *key = &b->keys.data[i], *known = find_key(a, key);
        if (key->required && !a->pending && !lm_schema_writes(a, known)) return true;
    }
    for (size_t i = 0; i < a->keys.count; i++) {
        const lm_schema_key *key = &a->keys.data[i], *known = find_key(b, key);
        if (key->required && !known && only_declared) return true;
        if (known && (key->required || known->required) && depth < MAX_DEPTH && members_apart(s, a, b, key, depth))
            return true;
    }
    return false;
}

/* Is each branch of a flat's choice apart from the other? */
static bool choices_apart(lm_schema *s, const lm_schema_flat *flat, const lm_schema_flat *other, bool flat_is_a,
                          uint32_t depth) {
    lm_schema_parts parts = {0};
    bool out = flat->choice != NULL;
    for (size_t i = 0; out && i < flat->choice->count; i++) {
        lm_schema_flat one;
        out = lm_schema_branch(s, flat, i, &parts);
        if (!out) break;
        out = lm_schema_collect(s, parts.data, parts.count, &one) == LM_OK &&
              (flat_is_a ? flats_apart(s, &one, other, depth + 1) : flats_apart(s, other, &one, depth + 1));
        lm_schema_flat_free(s, &one);
    }
    lm_array_free(s->env, &parts);
    return out && s->status == LM_OK;
}

static bool flats_apart(lm_schema *s, const lm_schema_flat *a, const lm_schema_flat *b, uint32_t depth) {
    if (!lm_schema_work(s, 1)) return false;
    if (a->never || b->never) return true;
    uint32_t common = common_types(s, a, b);
    if (below(&a->most, &b->least) || below(&b->most, &a->least)) common &= ~(uint32_t)LM_SCHEMA_NUMBER;
    if ((common & LM_SCHEMA_STRING) && formats_apart(a, b)) common &= ~(uint32_t)LM_SCHEMA_STRING;
    if (a->min_items > b->max_items || b->min_items > a->max_items) common &= ~(uint32_t)LM_SCHEMA_ARRAY;
    if ((common & LM_SCHEMA_OBJECT) && objects_apart(s, a, b, depth)) common &= ~(uint32_t)LM_SCHEMA_OBJECT;
    if (common == 0 && s->status == LM_OK) return true;
    return depth < MAX_DEPTH && (choices_apart(s, b, a, false, depth) || choices_apart(s, a, b, true, depth));
}

bool lm_schema_apart(lm_schema *s, const lm_schema_flat *flat, const lm_json *node) {
    lm_schema_flat other = {0};
    lm_schema_part part = {node, 0};
    s->looking = true;
    bool out = lm_schema_collect(s, &part, 1, &other) == LM_OK && flats_apart(s, flat, &other, 0);
    s->looking = false;
    lm_schema_flat_free(s, &other);
    return out;
}

/* Collect every branch of the choice alone, once for all of them. */
static void see(lm_schema *s, const lm_json *choice) {
    if (s->seen_choice == choice) return;
    lm_schema_forget(s);
    s->seen_choice = choice;
    for (size_t i = 0; i < choice->count && s->status == LM_OK; i++) {
        lm_schema_part part = {&choice->items[i], 0};
        lm_schema_flat flat;
        (void)lm_schema_collect(s, &part, 1, &flat);
        size_t n = s->seen.count;
        lm_schema_push(s, &s->seen, flat);
        if (s->seen.count == n) lm_schema_flat_free(s, &flat);
    }
}

void lm_schema_forget(lm_schema *s) {
    for (size_t i = 0; i < s->seen.count; i++) lm_schema_flat_free(s, &s->seen.data[i]);
    lm_array_free(s->env, &s->seen);
    s->seen_choice = NULL;
}

void lm_schema_exclude(lm_schema *s, const lm_schema_flat *flat, size_t which, lm_schema_parts *parts) {
    lm_schema_flat here = {0};
    const lm_json *others = lm_schema_excluding(s, flat->choice);
    if (!others) return;
    s->looking = true;
    see(s, flat->choice);
    if (lm_schema_collect(s, parts->data, parts->count, &here) == LM_OK)
        for (size_t i = 0; i < s->seen.count && s->status == LM_OK; i++) {
            lm_schema_part part = {&others->items[i], LM_SCHEMA_AVOIDED};
            if (i == which || flats_apart(s, &here, &s->seen.data[i], 0)) continue;
            lm_schema_push(s, parts, part);
            s->overlap = true;
        }
    lm_schema_flat_free(s, &here);
    s->looking = false;
}
