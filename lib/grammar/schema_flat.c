/* SPDX-License-Identifier: MIT
 * Collecting a conjunction: walk its nodes, follow references and allOf, and keep of every keyword the tightest demand. A
 * keyword of the JSON Schema vocabularies that is not understood is refused by name; names that no vocabulary defines are
 * annotations and mean nothing, as the specification says. */
#include <string.h>

#include "json_schema.h"

#define MAX_PARTS 2000u

typedef struct collector {
    lm_schema *schema;
    lm_schema_flat *flat;
    uint32_t origin; /* the part at hand */
    const lm_json *node;
    uint32_t skip;
} collector;

typedef void handler(collector *c, const lm_json *value);

static void refuse(collector *c, lm_status status, const char *keyword, const char *what) {
    lm_schema_refuse(c->schema, status, c->node, "keyword \"%s\" %s", keyword, what);
}

#define PUSH(array, value)                                                                                             \
    do {                                                                                                               \
        if (!lm_array_push(c->schema->env, &c->flat->array, value)) lm_schema_memory(c->schema);                       \
    } while (0)

/* Add a node that must hold too. Coming back to a node on the way that led here would go round for ever. */
static void add_part(collector *c, const lm_json *node, uint32_t skip, uint32_t origin) {
    lm_schema_flat *flat = c->flat;
    for (uint32_t at = origin; at != UINT32_MAX; at = flat->origins.data[at]) {
        if (flat->parts.data[at].node != node) continue;
        lm_schema_refuse(c->schema, LM_ERR_FORMAT, node, "a reference that leads back to itself");
        return;
    }
    for (size_t i = 0; i < flat->parts.count; i++)
        if (flat->parts.data[i].node == node) return;
    lm_schema_part part = {node, skip};
    if (flat->parts.count >= MAX_PARTS)
        lm_schema_refuse(c->schema, LM_ERR_LIMIT, node, "too many schemas in one place");
    else if (!lm_array_push(c->schema->env, &flat->parts, part) ||
             !lm_array_push(c->schema->env, &flat->origins, origin))
        lm_schema_memory(c->schema);
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* One step of a pointer: decode it into name, then look it up. */
static const lm_json *pointer_step(const lm_json *at, const char *step, size_t n, char *name) {
    size_t size = 0;
    for (size_t i = 0; i < n; i++) {
        char ch = step[i];
        if (ch == '%' && i + 2 < n && hex_digit(step[i + 1]) >= 0 && hex_digit(step[i + 2]) >= 0) {
            ch = (char)(hex_digit(step[i + 1]) << 4 | hex_digit(step[i + 2]));
            i += 2;
        }
        name[size++] = ch;
    }
    size_t decoded = 0;
    for (size_t i = 0; i < size; i++) {
        char ch = name[i];
        if (ch == '~' && i + 1 < size && (name[i + 1] == '0' || name[i + 1] == '1')) ch = name[++i] == '0' ? '~' : '/';
        name[decoded++] = ch;
    }
    if (!lm_json_is(at, LM_JSON_ARRAY)) return lm_json_find(at, name, decoded);
    size_t index = 0;
    for (size_t i = 0; i < decoded; i++) {
        if (name[i] < '0' || name[i] > '9' || index > at->count) return NULL;
        index = index * 10 + (size_t)(name[i] - '0');
    }
    return decoded ? lm_json_at(at, index) : NULL;
}

static void on_ref(collector *c, const lm_json *value) {
    const lm_json *at = c->schema->root;
    if (value->type != LM_JSON_STRING) {
        refuse(c, LM_ERR_FORMAT, "$ref", "must be a string");
        return;
    }
    const char *text = value->text;
    size_t n = value->count, i = 1;
    char *name = lm_alloc(c->schema->env, n + 1);
    if (!name) {
        lm_schema_memory(c->schema);
        return;
    }
    if (n == 0 || text[0] != '#' || (n > 1 && text[1] != '/')) {
        lm_schema_refuse(c->schema, LM_ERR_UNSUPPORTED, c->node,
                         "keyword \"$ref\" to %q: only references within the document (\"#/...\") are followed", n,
                         text);
    } else {
        while (at && i < n) {
            size_t start = ++i;
            while (i < n && text[i] != '/') i++;
            at = pointer_step(at, text + start, i - start, name);
        }
        if (at)
            add_part(c, at, 0, c->origin);
        else
            lm_schema_refuse(c->schema, LM_ERR_FORMAT, c->node, "keyword \"$ref\" to %q, which is not there", n, text);
    }
    lm_free(c->schema->env, name, n + 1);
}

static uint32_t type_bits(const lm_json *name) {
    static const struct {
        const char *name;
        uint32_t bits;
    } types[] = {{"null", LM_SCHEMA_NULL},     {"boolean", LM_SCHEMA_FALSE | LM_SCHEMA_TRUE},
                 {"string", LM_SCHEMA_STRING}, {"integer", LM_SCHEMA_INTEGER},
                 {"number", LM_SCHEMA_NUMBER}, {"array", LM_SCHEMA_ARRAY},
                 {"object", LM_SCHEMA_OBJECT}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (lm_json_is_text(name, types[i].name)) return types[i].bits;
    return 0;
}

static uint32_t read_types(collector *c, const lm_json *value) {
    uint32_t bits = 0;
    size_t n = value->type == LM_JSON_ARRAY ? value->count : 1;
    for (size_t i = 0; i < n; i++) {
        const lm_json *name = value->type == LM_JSON_ARRAY ? &value->items[i] : value;
        uint32_t one = type_bits(name);
        if (one == 0) refuse(c, LM_ERR_FORMAT, "type", "names no JSON type");
        bits |= one;
    }
    return bits;
}

static void on_type(collector *c, const lm_json *value) {
    uint32_t bits = read_types(c, value);
    if (lm_json_bool(lm_json_get(c->node, "nullable"), false)) bits |= LM_SCHEMA_NULL; /* OpenAPI 3.0 */
    c->flat->types &= bits;
}

/* Keep of the values so far those that are in the new list, or take the list when it is the first. */
static void restrict_values(collector *c, const lm_json *values, size_t n) {
    lm_schema_flat *flat = c->flat;
    if (!flat->has_values) {
        flat->has_values = true;
        for (size_t i = 0; i < n; i++) PUSH(values, &values[i]);
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

static void on_const(collector *c, const lm_json *value) { restrict_values(c, value, 1); }

static void on_enum(collector *c, const lm_json *value) {
    if (value->type != LM_JSON_ARRAY)
        refuse(c, LM_ERR_FORMAT, "enum", "must be a list");
    else
        restrict_values(c, value->items, value->count);
}

static void on_not(collector *c, const lm_json *value) {
    const lm_json *negated = NULL;
    size_t known = 0;
    if (c->skip & LM_SCHEMA_SKIP_NOT) return;
    for (size_t i = 0; value->type == LM_JSON_OBJECT && i < value->count; i++) {
        const lm_json_member *member = &value->members[i];
        known += strcmp(member->name, "type") == 0 || strcmp(member->name, "const") == 0 ||
                 strcmp(member->name, "enum") == 0;
    }
    if (known == 1 && value->count == 1) { /* the cases that end a negation */
        const lm_json *inner = &value->members[0].value;
        const char *name = value->members[0].name;
        if (strcmp(name, "type") == 0) {
            uint32_t bits = read_types(c, inner);
            c->flat->types &= ~bits;
        } else if (strcmp(name, "const") == 0) {
            PUSH(forbidden, inner);
        } else if (inner->type == LM_JSON_ARRAY) {
            for (size_t i = 0; i < inner->count; i++) PUSH(forbidden, &inner->items[i]);
        }
        return;
    }
    negated = lm_schema_negate(c->schema, value, 0);
    if (negated) {
        add_part(c, negated, 0, c->origin);
        c->flat->parts.data[c->origin].skip |= LM_SCHEMA_SKIP_NOT;
    } else if (c->schema->status == LM_OK) {
        refuse(c, LM_ERR_UNSUPPORTED, "not", "of this schema");
    }
}

static void on_all_of(collector *c, const lm_json *value) {
    if (value->type != LM_JSON_ARRAY) {
        refuse(c, LM_ERR_FORMAT, "allOf", "must be a list");
        return;
    }
    for (size_t i = 0; i < value->count; i++) add_part(c, &value->items[i], 0, c->origin);
}

static void add_choice(collector *c, const char *keyword, const lm_json *value, uint32_t skip) {
    if (c->skip & skip) return;
    if (!lm_json_is(value, LM_JSON_ARRAY)) {
        refuse(c, LM_ERR_FORMAT, keyword, "must be a list");
        return;
    }
    if (c->flat->choice) return; /* its turn comes in the branches */
    c->flat->choice = value;
    c->flat->choice_node = c->node;
    c->flat->choice_skip = skip;
}

static void on_any_of(collector *c, const lm_json *value) { add_choice(c, "anyOf", value, LM_SCHEMA_SKIP_ANY_OF); }
static void on_one_of(collector *c, const lm_json *value) { add_choice(c, "oneOf", value, LM_SCHEMA_SKIP_ONE_OF); }

static void on_if(collector *c, const lm_json *value) {
    (void)value;
    if ((c->skip & LM_SCHEMA_SKIP_IF) || c->flat->choice) return;
    if (!lm_json_get(c->node, "then") && !lm_json_get(c->node, "else")) return;
    const lm_json *branches = lm_schema_conditional(c->schema, c->node);
    if (branches)
        add_choice(c, "if", branches, LM_SCHEMA_SKIP_IF);
    else if (c->schema->status == LM_OK)
        refuse(c, LM_ERR_UNSUPPORTED, "if", "with a condition that cannot be negated");
}

static void on_dependent_required(collector *c, const lm_json *value) {
    if (value->type != LM_JSON_OBJECT) {
        refuse(c, LM_ERR_FORMAT, "dependentRequired", "must be an object");
        return;
    }
    if (c->skip & LM_SCHEMA_SKIP_DEPENDENT) return;
    if (value->count > 8) refuse(c, LM_ERR_UNSUPPORTED, "dependentRequired", "with more than 8 members");
    for (size_t i = 0; i < value->count && c->schema->status == LM_OK; i++) {
        if (value->members[i].value.type != LM_JSON_ARRAY) {
            refuse(c, LM_ERR_FORMAT, "dependentRequired", "must hold lists");
            return;
        }
        lm_json *holder = lm_arena_alloc_array(&c->schema->arena, 1, sizeof *holder);
        lm_json_member *member = lm_arena_alloc_array(&c->schema->arena, 1, sizeof *member);
        const lm_json *branches = lm_schema_dependent(c->schema, &value->members[i]);
        if (!holder || !member || !branches) {
            lm_schema_memory(c->schema);
            return;
        }
        *member = (lm_json_member){"anyOf", 5, *branches};
        holder->type = LM_JSON_OBJECT;
        holder->count = 1;
        holder->members = member;
        add_part(c, holder, 0, UINT32_MAX);
    }
    /* The parts just made speak for the keyword from now on; they are in every branch's conjunction. */
    c->flat->parts.data[c->origin].skip |= LM_SCHEMA_SKIP_DEPENDENT;
}

static bool read_count(collector *c, const char *keyword, const lm_json *value, uint32_t *out) {
    uint64_t number;
    if (value->type != LM_JSON_NUMBER || value->text[0] == '-' || !lm_json_uint64(value, &number)) {
        refuse(c, LM_ERR_FORMAT, keyword, "must be a whole number from 0 on");
        return false;
    }
    *out = number < 1000000000u ? (uint32_t)number : 1000000000u;
    return true;
}

static void raise_to(uint32_t *bound, uint32_t value) {
    if (value > *bound) *bound = value;
}
static void lower_to(uint32_t *bound, uint32_t value) {
    if (value < *bound) *bound = value;
}

#define COUNT_KEYWORD(function, keyword, field, tighten)                                                               \
    static void function(collector *c, const lm_json *value) {                                                         \
        uint32_t count;                                                                                                \
        if (read_count(c, keyword, value, &count)) tighten(&c->flat->field, count);                                    \
    }
COUNT_KEYWORD(on_min_length, "minLength", min_length, raise_to)
COUNT_KEYWORD(on_max_length, "maxLength", max_length, lower_to)
COUNT_KEYWORD(on_min_items, "minItems", min_items, raise_to)
COUNT_KEYWORD(on_max_items, "maxItems", max_items, lower_to)
COUNT_KEYWORD(on_min_members, "minProperties", min_members, raise_to)
COUNT_KEYWORD(on_max_members, "maxProperties", max_members, lower_to)

static void tighten(collector *c, const lm_json *number, bool least, bool exclusive) {
    lm_schema_decimal value, *bound = least ? &c->flat->least : &c->flat->most;
    if (!lm_schema_decimal_read(c->schema, number, &value)) return;
    value.exclusive = exclusive;
    int order = bound->given ? lm_schema_decimal_compare(&value, bound) : least ? 1 : -1;
    if (order == 0 ? exclusive : (order > 0) == least) *bound = value;
}

static void on_minimum(collector *c, const lm_json *value) { /* draft 4 has a boolean beside it */
    tighten(c, value, true, lm_json_bool(lm_json_get(c->node, "exclusiveMinimum"), false));
}
static void on_maximum(collector *c, const lm_json *value) {
    tighten(c, value, false, lm_json_bool(lm_json_get(c->node, "exclusiveMaximum"), false));
}
static void on_exclusive_minimum(collector *c, const lm_json *value) {
    if (value->type != LM_JSON_BOOL) tighten(c, value, true, true);
}
static void on_exclusive_maximum(collector *c, const lm_json *value) {
    if (value->type != LM_JSON_BOOL) tighten(c, value, false, true);
}
static void on_multiple_of(collector *c, const lm_json *value) { PUSH(multiples, value); }

static void on_pattern(collector *c, const lm_json *value) {
    if (value->type != LM_JSON_STRING)
        refuse(c, LM_ERR_FORMAT, "pattern", "must be a string");
    else
        PUSH(patterns, value);
}
static void on_format(collector *c, const lm_json *value) {
    if (value->type != LM_JSON_STRING)
        refuse(c, LM_ERR_FORMAT, "format", "must be a string");
    else
        PUSH(formats, value);
}

static void on_items(collector *c, const lm_json *value) {
    (void)value;
    c->flat->has_items = true;
}
static void on_unique(collector *c, const lm_json *value) {
    if (value->type != LM_JSON_BOOL)
        refuse(c, LM_ERR_FORMAT, "uniqueItems", "must be true or false");
    else if (value->boolean)
        c->flat->unique = c->node;
}
static void on_contains(collector *c, const lm_json *value) {
    if (lm_json_get(c->node, "minContains") || lm_json_get(c->node, "maxContains"))
        refuse(c, LM_ERR_UNSUPPORTED, "contains", "with minContains or maxContains");
    PUSH(contains, value);
}

static void add_key(collector *c, const char *name, size_t size, bool required) {
    lm_schema_flat *flat = c->flat;
    for (size_t i = 0; i < flat->keys.count; i++) {
        lm_schema_key *key = &flat->keys.data[i];
        if (key->size != size || memcmp(key->name, name, size) != 0) continue;
        key->required = key->required || required;
        return;
    }
    lm_schema_key key = {name, size, required};
    PUSH(keys, key);
}

static void on_properties(collector *c, const lm_json *value) {
    if (value->type != LM_JSON_OBJECT) {
        refuse(c, LM_ERR_FORMAT, "properties", "must be an object");
        return;
    }
    c->flat->has_members = true; /* add_keys reads them */
}

/* Declared names in the order of the text: a node's own, then those of what it refers to. Required names without a
 * declaration come last. */
static void add_keys(collector *c) {
    lm_schema_flat *flat = c->flat;
    LM_ARRAY(uint32_t) stack = {0};
    bool done = true;
    for (uint32_t root = UINT32_MAX;;) {
        for (size_t i = flat->parts.count; done && i-- > 0;)
            if (flat->origins.data[i] == root) done = lm_array_push(c->schema->env, &stack, (uint32_t)i);
        if (!done || stack.count == 0) break;
        root = stack.data[--stack.count];
        const lm_json *members = lm_json_get(flat->parts.data[root].node, "properties");
        for (size_t i = 0; lm_json_is(members, LM_JSON_OBJECT) && i < members->count; i++)
            add_key(c, members->members[i].name, members->members[i].name_size, false);
    }
    if (!done) lm_schema_memory(c->schema);
    lm_array_free(c->schema->env, &stack);
    for (uint32_t i = 0; i < flat->parts.count; i++) {
        const lm_json *required = lm_json_get(flat->parts.data[i].node, "required");
        for (size_t k = 0; lm_json_is(required, LM_JSON_ARRAY) && k < required->count; k++)
            add_key(c, required->items[k].text, required->items[k].count, true);
    }
}

static void on_required(collector *c, const lm_json *value) {
    if (value->type == LM_JSON_BOOL) return; /* draft 3 */
    if (value->type != LM_JSON_ARRAY) {
        refuse(c, LM_ERR_FORMAT, "required", "must be a list");
        return;
    }
    for (size_t i = 0; i < value->count; i++)
        if (value->items[i].type != LM_JSON_STRING) refuse(c, LM_ERR_FORMAT, "required", "must hold strings");
}

static void on_additional(collector *c, const lm_json *value) {
    if (lm_json_is(value, LM_JSON_BOOL) && !value->boolean)
        c->flat->closed = true;
    else
        c->flat->open = true;
}
static void on_unevaluated_properties(collector *c, const lm_json *value) {
    if (lm_json_is(value, LM_JSON_BOOL) && !value->boolean)
        c->flat->closed = true;
    else
        refuse(c, LM_ERR_UNSUPPORTED, "unevaluatedProperties", "other than false");
}
static void on_matching(collector *c, const lm_json *value) {
    if (value->type != LM_JSON_OBJECT)
        refuse(c, LM_ERR_FORMAT, "patternProperties", "must be an object");
    else if (value->count > 0)
        PUSH(matching, value);
}
static void on_names(collector *c, const lm_json *value) { PUSH(names, value); }

static const struct {
    const char *name;
    handler *handle; /* NULL: refused */
} keywords[] = {
    {"$ref", on_ref},
    {"$dynamicRef", NULL},
    {"$recursiveRef", NULL},
    {"type", on_type},
    {"const", on_const},
    {"enum", on_enum},
    {"not", on_not},
    {"allOf", on_all_of},
    {"anyOf", on_any_of},
    {"oneOf", on_one_of},
    {"if", on_if},
    {"minLength", on_min_length},
    {"maxLength", on_max_length},
    {"pattern", on_pattern},
    {"format", on_format},
    {"minimum", on_minimum},
    {"maximum", on_maximum},
    {"exclusiveMinimum", on_exclusive_minimum},
    {"exclusiveMaximum", on_exclusive_maximum},
    {"multipleOf", on_multiple_of},
    {"items", on_items},
    {"prefixItems", on_items},
    {"minItems", on_min_items},
    {"maxItems", on_max_items},
    {"uniqueItems", on_unique},
    {"contains", on_contains},
    {"unevaluatedItems", NULL},
    {"properties", on_properties},
    {"required", on_required},
    {"additionalProperties", on_additional},
    {"unevaluatedProperties", on_unevaluated_properties},
    {"patternProperties", on_matching},
    {"propertyNames", on_names},
    {"minProperties", on_min_members},
    {"maxProperties", on_max_members},
    {"dependentRequired", on_dependent_required},
    {"dependentSchemas", NULL},
    {"dependencies", NULL},
};

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
    for (size_t k = 0; k < sizeof keywords / sizeof *keywords && c->schema->status == LM_OK; k++) {
        const lm_json *value = lm_json_get(node, keywords[k].name);
        if (!value) continue;
        if (keywords[k].handle)
            keywords[k].handle(c, value);
        else
            refuse(c, LM_ERR_UNSUPPORTED, keywords[k].name, "is not supported");
    }
}

lm_status lm_schema_flatten(lm_schema *schema, const lm_schema_part *parts, size_t n, lm_schema_flat *out) {
    memset(out, 0, sizeof *out);
    out->types = LM_SCHEMA_ANY;
    out->max_length = out->max_items = out->max_members = LM_GRAMMAR_UNBOUNDED;
    collector c = {.schema = schema, .flat = out};
    for (size_t i = 0; i < n; i++) add_part(&c, parts[i].node, parts[i].skip, UINT32_MAX);
    for (uint32_t i = 0; i < out->parts.count && schema->status == LM_OK; i++) {
        c.origin = i;
        c.node = out->parts.data[i].node;
        c.skip = out->parts.data[i].skip;
        collect(&c);
    }
    if (schema->status == LM_OK) add_keys(&c);
    if (schema->status == LM_OK && out->types == 0) out->never = true;
    return schema->status;
}

void lm_schema_flat_free(lm_schema *schema, lm_schema_flat *flat) {
    const lm_env *env = schema->env;
    lm_array_free(env, &flat->parts);
    lm_array_free(env, &flat->origins);
    lm_array_free(env, &flat->values);
    lm_array_free(env, &flat->forbidden);
    lm_array_free(env, &flat->multiples);
    lm_array_free(env, &flat->patterns);
    lm_array_free(env, &flat->formats);
    lm_array_free(env, &flat->contains);
    lm_array_free(env, &flat->keys);
    lm_array_free(env, &flat->names);
    lm_array_free(env, &flat->matching);
}
