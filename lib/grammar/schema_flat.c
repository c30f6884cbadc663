/* SPDX-License-Identifier: MIT
 * Collecting a conjunction: walk its nodes, follow references and allOf, and keep of every keyword the tightest demand. A
 * keyword of the JSON Schema vocabularies that is not understood is refused by name; names that no vocabulary defines are
 * annotations and mean nothing, as the specification says. */
#include <string.h>

#include "json_schema.h"

#define MAX_PARTS 2000u

#define NAME(id, name, types) name "\0"
#define TYPES(id, name, types) types,
static const char names[] = LM_SCHEMA_KEYWORDS(NAME);
static const uint8_t types_of[] = {LM_SCHEMA_KEYWORDS(TYPES)};

const char *lm_schema_keyword_name(uint32_t key) {
    const char *name = names;
    while (key--) name += strlen(name) + 1;
    return name;
}

uint32_t lm_schema_keyword_of(const lm_json *node, size_t i) {
    const char *name = names, *wanted = node->members[i].name;
    uint32_t key = 0;
    while (key < LM_KEY_NONE && strcmp(name, wanted) != 0) name += strlen(name) + 1, key++;
    /* Another member of that name, or one with a NUL in its name, is none. */
    return lm_json_get(node, wanted) == &node->members[i].value ? key : LM_KEY_NONE;
}

typedef struct collector {
    lm_schema *schema;
    lm_schema_flat *flat;
    uint32_t origin; /* the part at hand */
    const lm_json *node;
    uint32_t skip, avoided;
    const char *keyword;
} collector;

static void refuse(collector *c, lm_status status, const char *what) {
    lm_schema_refuse(c->schema, status, c->node, "keyword \"%s\" %s", c->keyword, what);
}

static bool is_a(collector *c, const lm_json *value, lm_json_type type, const char *what) {
    if (value->type != type) refuse(c, LM_ERR_FORMAT, what);
    return value->type == type;
}

static bool is_list(collector *c, const lm_json *value) { return is_a(c, value, LM_JSON_ARRAY, "must be a list"); }
static bool is_object(collector *c, const lm_json *value) {
    return is_a(c, value, LM_JSON_OBJECT, "must be an object");
}

static void push(collector *c, lm_schema_nodes *nodes, const lm_json *node) { lm_schema_push(c->schema, nodes, node); }

/* Add a node that must hold too. Coming back to a node on the way that led here would go round for ever. */
static void add_part(collector *c, const lm_json *node, uint32_t skip, uint32_t origin) {
    lm_schema_flat *flat = c->flat;
    if (origin != UINT32_MAX) skip |= (origin + 1) << LM_SCHEMA_PARENT;
    for (uint32_t at = origin; at != UINT32_MAX; at = (flat->parts.data[at].skip >> LM_SCHEMA_PARENT) - 1) {
        if (flat->parts.data[at].node != node) continue;
        lm_schema_refuse(c->schema, LM_ERR_FORMAT, node, "a reference that leads back to itself");
        return;
    }
    for (size_t i = 0; i < flat->parts.count; i++)
        if (flat->parts.data[i].node == node) return;
    lm_schema_part part = {node, skip};
    if (flat->parts.count >= MAX_PARTS)
        lm_schema_refuse(c->schema, LM_ERR_LIMIT, node, "too many schemas in one place");
    lm_schema_push(c->schema, &flat->parts, part);
    lm_schema_push(c->schema, &flat->origins, origin);
}

static uint32_t type_bits(const lm_json *name) {
    static const char texts[][8] = {"null", "boolean", "string", "integer", "number", "array", "object"};
    static const uint8_t bits[] = {LM_SCHEMA_NULL,   LM_SCHEMA_FALSE | LM_SCHEMA_TRUE,
                                   LM_SCHEMA_STRING, LM_SCHEMA_INTEGER,
                                   LM_SCHEMA_NUMBER, LM_SCHEMA_ARRAY,
                                   LM_SCHEMA_OBJECT};
    for (size_t i = 0; i < sizeof bits; i++)
        if (lm_json_is_text(name, texts[i])) return bits[i];
    return 0;
}

static uint32_t read_types(collector *c, const lm_json *node, const lm_json *value) {
    uint32_t bits = lm_json_bool(lm_json_get(node, "nullable"), false) ? LM_SCHEMA_NULL : 0u; /* OpenAPI 3.0 */
    size_t n = value->type == LM_JSON_ARRAY ? value->count : 1;
    for (size_t i = 0; i < n; i++) {
        const lm_json *name = value->type == LM_JSON_ARRAY ? &value->items[i] : value;
        uint32_t one = type_bits(name);
        if (one == 0) refuse(c, LM_ERR_FORMAT, "names no JSON type");
        bits |= one;
    }
    return bits;
}

/* Keep of the values so far those that are in the new list, or take the list when it is the first. */
static void restrict_values(collector *c, const lm_json *values, size_t n) {
    lm_schema_flat *flat = c->flat;
    if (!flat->has_values) {
        flat->has_values = true;
        for (size_t i = 0; i < n; i++) push(c, &flat->values, &values[i]);
        return;
    }
    size_t kept = 0;
    for (size_t i = 0; i < flat->values.count; i++) {
        bool in = false;
        for (size_t k = 0; k < n && !in; k++) in = lm_schema_equal(flat->values.data[i], &values[k]);
        if (in) flat->values.data[kept++] = flat->values.data[i];
    }
    flat->values.count = kept;
}

/* Is something left for later, which the skip bit tells has not been done? */
static bool waits(collector *c, uint32_t skip) {
    if (c->skip & skip) return false;
    if (!c->avoided) c->flat->pending = true;
    return true;
}

/* Is the keyword the only one of node, and one whose negation is collected directly? */
static bool is_direct(const lm_json *node) {
    if (node->type != LM_JSON_OBJECT || node->count == 0) return false;
    bool direct = lm_schema_keyword_of(node, 0) <= LM_KEY_MULTIPLE_OF;
    for (size_t i = 1; i < node->count; i++) direct = direct && lm_schema_keyword_of(node, i) == LM_KEY_NONE;
    return direct;
}

/* Where a negation ends; flatten splits the others. */
static void on_not(collector *c, const lm_json *value) {
    lm_schema_flat *flat = c->flat;
    if (!is_direct(value)) {
        (void)waits(c, LM_SCHEMA_SKIP_NOT);
        return;
    }
    const lm_json *inner = &value->members[0].value;
    switch (lm_schema_keyword_of(value, 0)) {
    case LM_KEY_TYPE:
        flat->types &= ~read_types(c, value, inner);
        flat->typed = flat->typed || !c->avoided;
        return;
    case LM_KEY_CONST: push(c, &flat->forbidden, inner); return;
    case LM_KEY_ENUM:
        for (size_t i = 0; is_list(c, inner) && i < inner->count; i++) push(c, &flat->forbidden, &inner->items[i]);
        return;
    case LM_KEY_MULTIPLE_OF: flat->types &= LM_SCHEMA_NUMBER; break;
    default: flat->types &= LM_SCHEMA_STRING; break;
    }
    push(c, &flat->excluded, value);
}

static void add_choice(collector *c, const lm_json *value, uint32_t skip) {
    if (!waits(c, skip) || !value || !is_list(c, value)) return;
    if (c->flat->choice) return; /* its turn comes in the branches */
    c->flat->choice = value;
    c->flat->choice_node = c->node;
    c->flat->choice_skip = skip;
}

static void on_if(collector *c) {
    if (!lm_json_get(c->node, "then") && !lm_json_get(c->node, "else")) return;
    bool now = !c->schema->looking && !c->flat->choice && !(c->skip & LM_SCHEMA_SKIP_IF);
    add_choice(c, now ? lm_schema_conditional(c->schema, c->node) : NULL, LM_SCHEMA_SKIP_IF);
}

static void on_dependent(collector *c, const lm_json *value, uint32_t key) {
    if (!is_object(c, value) || !waits(c, LM_SCHEMA_SKIP_DEPENDENT) || c->schema->looking) return;
    if (value->count > 8) refuse(c, LM_ERR_UNSUPPORTED, "with more than 8 members");
    for (size_t i = 0; i < value->count && c->schema->status == LM_OK; i++) {
        if (key == LM_KEY_DEPENDENT && !is_a(c, &value->members[i].value, LM_JSON_ARRAY, "must hold lists")) return;
        const lm_json *demand = lm_schema_dependent(c->schema, &value->members[i]);
        if (demand) add_part(c, demand, c->avoided, c->origin);
    }
    /* The parts just made speak for the keyword from now on; they are in every branch's conjunction. */
    c->flat->parts.data[c->origin].skip |= LM_SCHEMA_SKIP_DEPENDENT;
}

static void on_count(collector *c, const lm_json *value, uint32_t *bound, bool least) {
    uint64_t number;
    if (value->type != LM_JSON_NUMBER || value->text[0] == '-' || !lm_json_uint64(value, &number)) {
        refuse(c, LM_ERR_FORMAT, "must be a whole number from 0 on");
        return;
    }
    uint32_t count = number < 1000000000u ? (uint32_t)number : 1000000000u;
    if ((count > *bound) == least) *bound = count;
}

static void tighten(collector *c, const lm_json *number, bool least, bool exclusive) {
    lm_schema_decimal value, *bound = least ? &c->flat->least : &c->flat->most;
    if (!lm_schema_decimal_read(c->schema, number, &value)) return;
    value.exclusive = exclusive;
    int order = bound->given ? lm_schema_decimal_compare(&value, bound) : least ? 1 : -1;
    if (order == 0 ? exclusive : (order > 0) == least) *bound = value;
}

static void add_key(collector *c, const char *name, size_t size, bool required) {
    lm_schema_flat *flat = c->flat;
    for (size_t i = 0; i < flat->keys.count; i++) {
        lm_schema_key *key = &flat->keys.data[i];
        if (key->size != size || memcmp(key->name, name, size) != 0) continue;
        key->required = key->required || required;
        key->declared = key->declared || !c->avoided;
        return;
    }
    lm_schema_key key = {name, size, required, !c->avoided};
    lm_schema_push(c->schema, &flat->keys, key);
}

/* Declared names in the order of the text: a node's own, then those of what it refers to. Required names without a
 * declaration come last. Of the parts that are avoided, or of the others. */
static void add_keys(collector *c, uint32_t avoided) {
    lm_schema_flat *flat = c->flat;
    LM_ARRAY(uint32_t) stack = {0};
    c->avoided = avoided;
    for (uint32_t root = UINT32_MAX;;) {
        for (uint32_t i = (uint32_t)flat->parts.count; i-- > 0;)
            if (flat->origins.data[i] == root) lm_schema_push(c->schema, &stack, i);
        if (stack.count == 0 || c->schema->status != LM_OK) break;
        root = stack.data[--stack.count];
        const lm_json *members = lm_json_get(flat->parts.data[root].node, "properties");
        if ((flat->parts.data[root].skip & LM_SCHEMA_AVOIDED) != avoided) continue;
        for (size_t i = 0; lm_json_is(members, LM_JSON_OBJECT) && i < members->count; i++)
            add_key(c, members->members[i].name, members->members[i].name_size, false);
    }
    lm_array_free(c->schema->env, &stack);
    for (uint32_t i = 0; i < flat->parts.count; i++) {
        const lm_json *required = lm_json_get(flat->parts.data[i].node, "required");
        if ((flat->parts.data[i].skip & LM_SCHEMA_AVOIDED) != avoided) continue;
        for (size_t k = 0; lm_json_is(required, LM_JSON_ARRAY) && k < required->count; k++)
            add_key(c, required->items[k].text, required->items[k].count, true);
    }
}

static void on_required(collector *c, const lm_json *value) {
    if (value->type == LM_JSON_BOOL || !is_list(c, value)) return; /* a boolean: draft 3 */
    for (size_t i = 0; i < value->count; i++) (void)is_a(c, &value->items[i], LM_JSON_STRING, "must hold strings");
}

/* add_keys reads them; here only whether any may be written. */
static void on_properties(collector *c, const lm_json *value) {
    lm_schema_flat *flat = c->flat;
    if (!is_object(c, value) || c->avoided) return;
    flat->has_members = flat->has_members || value->count == 0;
    for (size_t i = 0; i < value->count && !flat->has_members; i++)
        flat->has_members = lm_json_bool(&value->members[i].value, true);
}

static void on_contains_count(collector *c, const lm_json *value, bool is_least) {
    lm_schema_flat *flat = c->flat;
    if (!lm_json_get(c->node, "contains")) return;
    if (is_least) flat->min_contains = 0;
    on_count(c, value, is_least ? &flat->min_contains : &flat->max_contains, is_least);
}

static void read(collector *c, uint32_t key, const lm_json *value) {
    lm_schema_flat *flat = c->flat;
    bool yes = lm_json_bool(value, false), no = !lm_json_bool(value, true), own = !c->avoided;
    const lm_json *target;
    lm_schema_part part = {value, c->avoided};
    switch (key) {
    case LM_KEY_REF:
        target = lm_schema_resolve(c->schema, c->node, value);
        if (target) add_part(c, target, c->avoided, c->origin);
        return;
    case LM_KEY_TYPE:
        flat->types &= read_types(c, c->node, value);
        flat->typed = flat->typed || own;
        return;
    case LM_KEY_CONST: restrict_values(c, value, 1); return;
    case LM_KEY_ENUM:
        if (is_list(c, value)) restrict_values(c, value->items, value->count);
        return;
    case LM_KEY_NOT: on_not(c, value); return;
    case LM_KEY_ALL_OF:
        for (size_t i = 0; is_list(c, value) && i < value->count; i++)
            add_part(c, &value->items[i], c->avoided, c->origin);
        return;
    case LM_KEY_ANY_OF: add_choice(c, value, LM_SCHEMA_SKIP_ANY_OF); return;
    case LM_KEY_ONE_OF: add_choice(c, value, LM_SCHEMA_SKIP_ONE_OF); return;
    case LM_KEY_IF: on_if(c); return;
    case LM_KEY_MIN_LENGTH: on_count(c, value, &flat->min_length, true); return;
    case LM_KEY_MAX_LENGTH: on_count(c, value, &flat->max_length, false); return;
    case LM_KEY_MIN_ITEMS: on_count(c, value, &flat->min_items, true); return;
    case LM_KEY_MAX_ITEMS: on_count(c, value, &flat->max_items, false); return;
    case LM_KEY_MIN_MEMBERS: on_count(c, value, &flat->min_members, true); return;
    case LM_KEY_MAX_MEMBERS: on_count(c, value, &flat->max_members, false); return;
    case LM_KEY_PATTERN:
    case LM_KEY_FORMAT:
        if (is_a(c, value, LM_JSON_STRING, "must be a string"))
            push(c, key == LM_KEY_PATTERN ? &flat->patterns : &flat->formats, value);
        return;
    case LM_KEY_MINIMUM: /* draft 4 has a boolean beside it */
    case LM_KEY_MAXIMUM: {
        const char *beside = key == LM_KEY_MINIMUM ? "exclusiveMinimum" : "exclusiveMaximum";
        tighten(c, value, key == LM_KEY_MINIMUM, lm_json_bool(lm_json_get(c->node, beside), false));
        return;
    }
    case LM_KEY_ABOVE:
    case LM_KEY_BELOW:
        if (value->type != LM_JSON_BOOL) tighten(c, value, key == LM_KEY_ABOVE, true);
        return;
    case LM_KEY_MULTIPLE_OF: push(c, &flat->multiples, value); return;
    case LM_KEY_ITEMS:
    case LM_KEY_PREFIX_ITEMS: flat->has_items = true; return;
    case LM_KEY_UNIQUE_ITEMS:
        if (is_a(c, value, LM_JSON_BOOL, "must be true or false") && yes) flat->unique = c->node;
        return;
    case LM_KEY_CONTAINS: lm_schema_push(c->schema, &flat->contains, part); return;
    case LM_KEY_MIN_CONTAINS:
    case LM_KEY_MAX_CONTAINS: on_contains_count(c, value, key == LM_KEY_MIN_CONTAINS); return;
    case LM_KEY_PROPERTIES: on_properties(c, value); return;
    case LM_KEY_REQUIRED: on_required(c, value); return;
    case LM_KEY_UNEVALUATED:
        flat->sealed = flat->sealed || no;
        flat->open = flat->open || (own && !no);
        return;
    case LM_KEY_ADDITIONAL:
        flat->closed = flat->closed || no;
        flat->open = flat->open || (own && !no);
        return;
    case LM_KEY_MATCHING:
        if (!is_object(c, value) || value->count == 0) return;
        push(c, &flat->matching, value);
        flat->patterned = flat->patterned || own;
        return;
    case LM_KEY_NAMES: push(c, &flat->names, value); return;
    case LM_KEY_DEPENDENT:
    case LM_KEY_DEPENDENT_SCHEMAS:
    case LM_KEY_DEPENDENCIES: on_dependent(c, value, key); return;
    case LM_KEY_BEYOND: flat->types &= LM_SCHEMA_OBJECT; return; /* flatten splits it */
    default: refuse(c, LM_ERR_UNSUPPORTED, "is not supported");
    }
}

static void collect(collector *c) {
    const lm_json *node = c->node;
    if (node->type == LM_JSON_BOOL) {
        if (!node->boolean) c->flat->never = true;
        return;
    }
    if (node->type != LM_JSON_OBJECT) {
        lm_schema_refuse(c->schema, LM_ERR_FORMAT, node, "a schema is an object or a boolean");
        return;
    }
    c->keyword = names;
    for (uint32_t k = 0; *c->keyword && c->schema->status == LM_OK; k++, c->keyword += strlen(c->keyword) + 1) {
        const lm_json *value = lm_json_get(node, c->keyword);
        if (!value) continue;
        if (!c->avoided) c->flat->said |= types_of[k];
        read(c, k, value);
    }
}

lm_status lm_schema_collect(lm_schema *schema, const lm_schema_part *parts, size_t n, lm_schema_flat *out) {
    memset(out, 0, sizeof *out);
    out->types = LM_SCHEMA_ANY;
    out->max_length = out->max_items = out->max_contains = out->max_members = LM_GRAMMAR_UNBOUNDED;
    out->min_contains = 1;
    collector c = {.schema = schema, .flat = out};
    for (size_t i = 0; i < n; i++) add_part(&c, parts[i].node, parts[i].skip, UINT32_MAX);
    for (uint32_t i = 0; i < out->parts.count && schema->status == LM_OK; i++) {
        c.origin = i;
        c.node = out->parts.data[i].node;
        c.skip = out->parts.data[i].skip;
        c.avoided = c.skip & LM_SCHEMA_AVOIDED;
        collect(&c);
    }
    (void)lm_schema_work(schema, 32 + out->parts.count * out->parts.count / 16);
    for (uint32_t i = 0; i < 2 && schema->status == LM_OK; i++) add_keys(&c, i * LM_SCHEMA_AVOIDED);
    if (schema->status == LM_OK && out->types == 0) out->never = true;
    if (out->sealed && !out->open && !out->pending) out->closed = true;
    return schema->status;
}

static void refuse_negation(lm_schema *s, const lm_json *node, const char *keyword) {
    lm_schema_refuse(s, LM_ERR_UNSUPPORTED, node, "not, if or oneOf wants \"%s\" negated, which cannot be", keyword);
}

/* The negation of value becomes the choice, less what is impossible beside the rest. */
static void deny(lm_schema *s, lm_schema_flat *flat, const lm_json *value, bool avoided) {
    const char *unable = NULL;
    if (lm_schema_apart(s, flat, value)) return;
    const lm_json *all = lm_schema_negate(s, value, &unable);
    lm_json *some = lm_arena_alloc_array(&s->arena, 1, sizeof *some),
            *items = lm_arena_alloc_array(&s->arena, all ? all->count + 1 : 1, sizeof *items);
    if (!all || !some || !items) {
        lm_schema_memory(s);
        return;
    }
    *some = (lm_json){.type = LM_JSON_ARRAY, .items = items};
    for (size_t i = 0; i < all->count; i++)
        if (!lm_schema_apart(s, flat, &all->items[i])) items[some->count++] = all->items[i];
    flat->choice = some;
    if (unable && (!avoided || some->count == 0)) refuse_negation(s, value, unable);
}

/* Make one of the parts' keywords the choice, and note that it is taken. */
static void split(lm_schema *s, lm_schema_flat *flat, lm_schema_part *part) {
    const lm_json *node = part->node, *value = lm_json_get(node, "not"), *beyond = lm_json_get(node, LM_SCHEMA_BEYOND);
    flat->choice_node = node;
    if (value && !(part->skip & LM_SCHEMA_SKIP_NOT) && !is_direct(value)) {
        part->skip |= LM_SCHEMA_SKIP_NOT;
        deny(s, flat, value, part->skip & LM_SCHEMA_AVOIDED);
    } else if (beyond && !(part->skip & LM_SCHEMA_SKIP_BEYOND)) {
        part->skip |= LM_SCHEMA_SKIP_BEYOND;
        flat->choice = lm_schema_beyond(s, flat, beyond);
        if (!(part->skip & LM_SCHEMA_AVOIDED) && lm_schema_writes(flat, NULL))
            refuse_negation(s, beyond, "additionalProperties");
    }
}

lm_status lm_schema_flatten(lm_schema *schema, const lm_schema_part *parts, size_t n, lm_schema_flat *out) {
    (void)lm_schema_collect(schema, parts, n, out);
    for (size_t i = 0; i < out->parts.count && !out->choice && !out->never && schema->status == LM_OK; i++)
        split(schema, out, &out->parts.data[i]);
    return schema->status;
}

void lm_schema_flat_free(lm_schema *schema, lm_schema_flat *flat) {
    /* An element's size for each array, in their order; all arrays have one layout. */
    static const uint8_t sizes[] = {
        sizeof *((lm_schema_flat *)0)->parts.data,    sizeof *((lm_schema_flat *)0)->origins.data,
        sizeof *((lm_schema_flat *)0)->values.data,   sizeof *((lm_schema_flat *)0)->forbidden.data,
        sizeof *((lm_schema_flat *)0)->excluded.data, sizeof *((lm_schema_flat *)0)->multiples.data,
        sizeof *((lm_schema_flat *)0)->patterns.data, sizeof *((lm_schema_flat *)0)->formats.data,
        sizeof *((lm_schema_flat *)0)->contains.data, sizeof *((lm_schema_flat *)0)->keys.data,
        sizeof *((lm_schema_flat *)0)->names.data,    sizeof *((lm_schema_flat *)0)->matching.data};
    lm_array_any *arrays = (void *)flat;
    for (size_t i = 0; i < sizeof sizes; i++) lm_array_free_bytes(schema->env, &arrays[i], sizes[i]);
}
