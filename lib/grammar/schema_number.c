/* SPDX-License-Identifier: MIT
 * Numbers. Without bounds: JSON's own syntax with bounded digits. With bounds the text is compared with the bound's digits as
 * it is written, most significant first: exact at any size, fractions included, and without an exponent, whose texts cannot
 * be compared that way. Values below zero are a minus sign and the bounds turned round; -0 is written only without bounds. */
#include <string.h>

#include "json_schema.h"

#define FREE_DIGITS 16u
#define MAX_MULTIPLE 2000u

bool lm_schema_decimal_parse(const char *text, size_t n, char digits[LM_SCHEMA_MAX_DIGITS], lm_schema_decimal *out) {
    lm_schema_decimal made = {.given = true, .digits = digits};
    size_t i = 0, count = 0;
    int64_t point = 0, exponent = 0; /* point: where it stands in digits */
    bool seen_point = false, negative_exponent = false;
    if (i < n && text[i] == '-') made.negative = true, i++;
    for (; i < n && (text[i] == '.' || (text[i] >= '0' && text[i] <= '9')); i++) {
        if (text[i] == '.') {
            seen_point = true;
            continue;
        }
        if (count == 0 && text[i] == '0') { /* leading zeros only move the point */
            if (seen_point) point--;
            continue;
        }
        if (count == LM_SCHEMA_MAX_DIGITS) return false;
        digits[count++] = text[i];
        if (!seen_point) point++;
    }
    if (i < n && (text[i] | 0x20) == 'e') {
        i++;
        if (i < n && (text[i] == '-' || text[i] == '+')) negative_exponent = text[i++] == '-';
        for (; i < n && text[i] >= '0' && text[i] <= '9'; i++)
            if (exponent < 1000000) exponent = exponent * 10 + (text[i] - '0');
    }
    point += negative_exponent ? -exponent : exponent;
    while (count > 0 && digits[count - 1] == '0') count--;
    if (count == 0) {
        digits[0] = '0';
        made.n_integer = 1;
        made.negative = false;
        *out = made;
        return true;
    }
    int64_t lead = point <= 0 ? 1 - point : 0, trail = point > (int64_t)count ? point - (int64_t)count : 0;
    if (lead + trail + (int64_t)count > (int64_t)LM_SCHEMA_MAX_DIGITS) return false;
    memmove(digits + lead, digits, count);
    memset(digits, '0', (size_t)lead);
    memset(digits + lead + count, '0', (size_t)trail);
    made.n_integer = (uint32_t)(point <= 0 ? 1 : point);
    made.n_fraction = (uint32_t)(lead + (int64_t)count + trail) - made.n_integer;
    *out = made;
    return true;
}

bool lm_schema_decimal_read(lm_schema *s, const lm_json *number, lm_schema_decimal *out) {
    char *digits = lm_arena_alloc(&s->arena, LM_SCHEMA_MAX_DIGITS);
    if (!digits) {
        lm_schema_memory(s);
        return false;
    }
    if (!lm_json_is(number, LM_JSON_NUMBER)) {
        lm_schema_refuse(s, LM_ERR_FORMAT, number, "a number is expected");
        return false;
    }
    if (lm_schema_decimal_parse(number->text, number->count, digits, out)) return true;
    lm_schema_refuse(s, LM_ERR_LIMIT, number, "a number of more than %u digits", LM_SCHEMA_MAX_DIGITS);
    return false;
}

static int compare_magnitude(const lm_schema_decimal *a, const lm_schema_decimal *b) {
    if (a->n_integer != b->n_integer) return a->n_integer < b->n_integer ? -1 : 1;
    uint32_t na = a->n_integer + a->n_fraction, nb = b->n_integer + b->n_fraction;
    int order = memcmp(a->digits, b->digits, na < nb ? na : nb);
    return order ? order : na < nb ? -1 : na > nb;
}

int lm_schema_decimal_compare(const lm_schema_decimal *a, const lm_schema_decimal *b) {
    if (a->negative != b->negative) return a->negative ? -1 : 1;
    return a->negative ? -compare_magnitude(a, b) : compare_magnitude(a, b);
}

bool lm_schema_number_fits(lm_schema *s, const lm_schema_flat *flat, const lm_json *number) {
    lm_schema_decimal value;
    if (!lm_schema_decimal_read(s, number, &value)) return false;
    int least = flat->least.given ? lm_schema_decimal_compare(&value, &flat->least) : 1;
    int most = flat->most.given ? lm_schema_decimal_compare(&value, &flat->most) : -1;
    return least >= (flat->least.exclusive ? 1 : 0) && most <= (flat->most.exclusive ? -1 : 0);
}

static lm_gexpr digit(lm_schema *s, char lo, char hi) {
    lm_code_range range = {(uint32_t)lo, (uint32_t)hi};
    return lo > hi ? LM_GEXPR_NEVER : lm_gexpr_class(s->pool, &range, 1, false);
}

static lm_gexpr digits_of(lm_schema *s, uint32_t least, uint32_t most) {
    return lm_gexpr_repeat(s->pool, digit(s, '0', '9'), least, most);
}

/* "." and from 1 to n_most digits; nothing when there may be none. */
static lm_gexpr any_fraction(lm_schema *s, uint32_t n_most) {
    if (n_most == 0) return LM_GEXPR_EMPTY;
    return lm_gexpr_optional(s->pool, lm_gexpr_seq2(s->pool, lm_schema_literal(s, "."), digits_of(s, 1, n_most)));
}

typedef struct bound {
    lm_schema *schema;
    const lm_schema_decimal *to;
    bool least; /* the text must not be below, else not above */
    bool exclusive;
    uint32_t n_most; /* digits a fraction may have, 0: integers */
    lm_schema_edges edges;
    uint32_t n_states;
} bound;

static void add_edge(bound *b, uint32_t from, uint32_t to, lm_gexpr expr) {
    lm_schema_edge(b->schema, &b->edges, from, to, expr);
}

/* The fraction of a text whose integer digits are those of the bound, from state tie. */
static void add_fraction(bound *b, uint32_t tie) {
    lm_schema *s = b->schema;
    const char *digits = b->to->digits + b->to->n_integer;
    uint32_t n = b->to->n_fraction;
    if (b->n_most == 0) {
        bool equal_ends = n == 0 ? !b->exclusive : !b->least;
        if (equal_ends) add_edge(b, tie, 1, LM_GEXPR_EMPTY);
        return;
    }
    if (n == 0 ? !b->exclusive : !b->least) add_edge(b, tie, 1, LM_GEXPR_EMPTY); /* no fraction at all */
    uint32_t at = b->n_states++;
    add_edge(b, tie, at, lm_schema_literal(s, "."));
    for (uint32_t i = 0; i < n && i < b->n_most; i++) {
        uint32_t next = b->n_states++, left = b->n_most - i - 1;
        lm_gexpr other = b->least ? digit(s, (char)(digits[i] + 1), '9') : digit(s, '0', (char)(digits[i] - 1));
        add_edge(b, at, 1, lm_gexpr_seq2(s->pool, other, digits_of(s, 0, left)));
        add_edge(b, at, next, digit(s, digits[i], digits[i]));
        if (!b->least && i + 1 < n) add_edge(b, next, 1, LM_GEXPR_EMPTY); /* cut short is below */
        at = next;
    }
    if (n > b->n_most) return;
    /* All digits of the bound are written (n of them): what may follow is zeros, or anything when larger is right. */
    uint32_t left = b->n_most - n;
    uint32_t needed = n == 0 ? 1 : 0; /* a point wants a digit */
    if (!b->exclusive) {
        if (b->least)
            add_edge(b, at, 1, digits_of(s, needed, left));
        else
            add_edge(b, at, 1, lm_gexpr_repeat(s->pool, digit(s, '0', '0'), needed, left));
    } else if (b->least) {
        for (; left > 0; left--) { /* zeros, and then a digit that is none */
            add_edge(b, at, 1, lm_gexpr_seq2(s->pool, digit(s, '1', '9'), digits_of(s, 0, left - 1)));
            if (left > 1) add_edge(b, at, b->n_states, digit(s, '0', '0'));
            at = left > 1 ? b->n_states++ : at;
        }
    }
}

/* Texts of numbers from 0 on, without sign, that keep the bound. */
static lm_gexpr bounded(lm_schema *s, const lm_schema_decimal *to, bool least, bool exclusive, uint32_t n_most) {
    bound b = {.schema = s, .to = to, .least = least, .exclusive = exclusive, .n_most = n_most, .n_states = 3};
    lm_gexpr_pool *pool = s->pool;
    uint32_t n = to->n_integer, longest = n + 1 > FREE_DIGITS ? n + 1 : FREE_DIGITS;
    lm_gexpr fraction = any_fraction(s, n_most);
    if (least) { /* more digits */
        add_edge(&b, 0, 1, lm_gexpr_seq3(pool, digit(s, '1', '9'), digits_of(s, n, longest - 1), fraction));
    } else if (n > 1) { /* fewer digits */
        add_edge(&b, 0, 1, lm_gexpr_seq2(pool, digit(s, '0', '0'), fraction));
        add_edge(&b, 0, 1, lm_gexpr_seq3(pool, digit(s, '1', '9'), digits_of(s, 0, n - 2), fraction));
    }
    uint32_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        char d = to->digits[i], lowest = i == 0 && n > 1 ? '1' : '0';
        uint32_t next = i + 1 == n ? 2 : b.n_states++;
        lm_gexpr other = least ? digit(s, (char)(d + 1), '9') : digit(s, lowest, (char)(d - 1));
        if (other != LM_GEXPR_NEVER)
            add_edge(&b, at, 1, lm_gexpr_seq3(pool, other, digits_of(s, n - i - 1, n - i - 1), fraction));
        add_edge(&b, at, next, digit(s, d, d));
        at = next;
    }
    add_fraction(&b, 2);
    lm_gexpr out = lm_gexpr_net(pool, b.edges.data, b.edges.count, b.n_states);
    lm_array_free(s->env, &b.edges);
    return out;
}

static lm_gexpr unsigned_number(lm_schema *s, uint32_t n_most) {
    lm_gexpr integer = lm_gexpr_alt2(s->pool, digit(s, '0', '0'),
                                     lm_gexpr_seq2(s->pool, digit(s, '1', '9'), digits_of(s, 0, FREE_DIGITS - 1)));
    return lm_gexpr_seq2(s->pool, integer, any_fraction(s, n_most));
}

/* Numbers from least to most, both without sign and either NULL. */
static lm_gexpr span(lm_schema *s, const lm_schema_decimal *least, bool above, const lm_schema_decimal *most,
                     bool below, uint32_t n_most) {
    lm_gexpr out = least ? bounded(s, least, true, above, n_most) : LM_GEXPR_EMPTY;
    if (!most) return least ? out : unsigned_number(s, n_most);
    lm_gexpr upper = bounded(s, most, false, below, n_most);
    return least ? lm_gexpr_both(s->pool, out, upper) : upper;
}

/* Digits from one on, in state from with remainder r: to states of the new remainders, the first of them to. */
static void add_digits(bound *b, uint32_t from, char one, uint32_t r, uint32_t to, uint32_t k) {
    for (uint32_t i = (uint32_t)(one - '0'); i <= 9; i++)
        add_edge(b, from, to + (r * 10 + i) % k, digit(b->schema, (char)('0' + i), (char)('0' + i)));
}

/* Multiples of k / 10^n_places, read digit by digit. A state for each remainder, in layers: before the point, behind it, and
 * behind each place of the fraction. */
static lm_gexpr divisible(lm_schema *s, uint32_t k, uint32_t n_places) {
    enum { ZERO = 2, FIRST };
    uint32_t n_layers = n_places ? n_places + 2 : 1;
    bound b = {.schema = s, .n_states = FIRST + k * n_layers};
    lm_gexpr point = lm_schema_literal(s, ".");
    add_digits(&b, 0, '1', 0, FIRST, k);
    add_edge(&b, 0, ZERO, digit(s, '0', '0'));
    add_edge(&b, ZERO, 1, LM_GEXPR_EMPTY);
    if (n_places) add_edge(&b, ZERO, FIRST + k, point);
    for (uint32_t layer = 0; layer < n_layers; layer++) {
        uint32_t n_left = layer ? n_places + 1 - layer : n_places, power = 1 % k;
        for (uint32_t i = 0; i < n_left; i++) power = power * 10 % k;
        for (uint32_t r = 0; r < k; r++) {
            uint32_t at = FIRST + k * layer + r;
            if (layer != 1 && r * power % k == 0) add_edge(&b, at, 1, LM_GEXPR_EMPTY);
            if (layer == 0) add_digits(&b, at, '0', r, FIRST, k);
            if (layer == 0 && n_places) add_edge(&b, at, at + k, point);
            if (layer > 0 && n_left > 0) add_digits(&b, at, '0', r, FIRST + k * (layer + 1), k);
        }
    }
    lm_gexpr out = lm_gexpr_net(s->pool, b.edges.data, b.edges.count, b.n_states);
    lm_array_free(s->env, &b.edges);
    return out;
}

/* What the multipleOf keywords ask together: multiples of number / 10^n_places, in lowest terms. */
typedef struct multiples {
    uint32_t number, n_places;
} multiples;

static bool read_multiples(lm_schema *s, const lm_schema_nodes *nodes, multiples *out) {
    *out = (multiples){1, LM_GRAMMAR_UNBOUNDED};
    for (size_t i = 0; i < nodes->count; i++) {
        const lm_json *node = nodes->data[i];
        lm_schema_decimal value;
        if (!lm_schema_decimal_read(s, node, &value)) return false;
        uint32_t n = value.n_integer + value.n_fraction;
        if (value.negative || (n == 1 && value.digits[0] == '0'))
            return lm_schema_refuse(s, LM_ERR_FORMAT, node, "multipleOf must be above 0") == LM_OK;
        uint64_t number = 0, both = out->number;
        for (uint32_t k = 0; k < n && number <= MAX_MULTIPLE; k++)
            number = number * 10 + (uint64_t)(value.digits[k] - '0');
        uint32_t n_places = value.n_fraction;
        if (i == 0) out->n_places = n_places;
        for (; n_places < out->n_places && number <= MAX_MULTIPLE; n_places++) number *= 10;
        for (; out->n_places < n_places && both <= MAX_MULTIPLE; out->n_places++) both *= 10;
        if (number > MAX_MULTIPLE || both > MAX_MULTIPLE)
            return lm_schema_refuse(s, LM_ERR_UNSUPPORTED, node, "multipleOf above %u", MAX_MULTIPLE) == LM_OK;
        uint64_t a = both, c = number; /* least common multiple */
        while (c) {
            uint64_t rest = a % c;
            a = c;
            c = rest;
        }
        both = both / a * number;
        for (; out->n_places > 0 && both % 10 == 0; out->n_places--) both /= 10;
        if (both > 1 && both * (out->n_places + 1) > MAX_MULTIPLE)
            return lm_schema_refuse(s, LM_ERR_UNSUPPORTED, node, "multipleOf above %u", MAX_MULTIPLE) == LM_OK;
        out->number = (uint32_t)both;
    }
    return true;
}

/* Numbers without those that texts spells, in all their spellings: zeros may follow a fraction, or stand for one. */
static lm_gexpr without(lm_schema *s, lm_gexpr numbers, lm_gexpr texts, bool fraction) {
    lm_gexpr zeros = lm_gexpr_repeat(s->pool, digit(s, '0', '0'), fraction ? 0 : 1, LM_GRAMMAR_UNBOUNDED);
    if (!fraction) zeros = lm_gexpr_optional(s->pool, lm_gexpr_seq2(s->pool, lm_schema_literal(s, "."), zeros));
    return lm_gexpr_except(s->pool, numbers, lm_gexpr_seq2(s->pool, texts, zeros));
}

/* Numbers that are not multiples of what node says. */
static lm_gexpr no_multiples(lm_schema *s, lm_gexpr numbers, const lm_json *node) {
    lm_schema_nodes one = {.data = &node, .count = 1};
    multiples of;
    if (!read_multiples(s, &one, &of)) return LM_GEXPR_NEVER;
    lm_gexpr texts = of.number > 1
                         ? divisible(s, of.number, of.n_places)
                         : lm_gexpr_seq2(s->pool, digits_of(s, 1, LM_GRAMMAR_UNBOUNDED), any_fraction(s, of.n_places));
    texts = lm_gexpr_seq2(s->pool, lm_gexpr_optional(s->pool, lm_schema_literal(s, "-")), texts);
    return without(s, numbers, texts, of.n_places > 0);
}

/* Numbers but the value; they have no exponents. */
static lm_gexpr but(lm_schema *s, lm_gexpr numbers, const lm_json *value) {
    char digits[LM_SCHEMA_MAX_DIGITS];
    lm_schema_decimal number;
    if (!lm_schema_decimal_parse(value->text, value->count, digits, &number))
        return numbers; /* too long to be written */
    lm_gexpr items[4] = {number.negative ? lm_schema_literal(s, "-") : LM_GEXPR_EMPTY,
                         lm_gexpr_text(s->pool, digits, number.n_integer), LM_GEXPR_EMPTY, LM_GEXPR_EMPTY};
    if (number.n_fraction > 0) {
        items[2] = lm_schema_literal(s, ".");
        items[3] = lm_gexpr_text(s->pool, digits + number.n_integer, number.n_fraction);
    }
    return without(s, numbers, lm_gexpr_seq(s->pool, items, 4), number.n_fraction > 0);
}

lm_gexpr lm_schema_number(lm_schema *s, const lm_schema_flat *flat) {
    lm_gexpr_pool *pool = s->pool;
    uint32_t n_most = flat->types & LM_SCHEMA_FRACTION ? FREE_DIGITS : 0;
    multiples of;
    if (!read_multiples(s, &flat->multiples, &of)) return LM_GEXPR_NEVER;
    if (of.n_places < n_most) n_most = of.n_places;
    lm_gexpr minus = lm_schema_literal(s, "-");
    bool limited = flat->least.given || flat->most.given || flat->multiples.count > 0 || flat->excluded.count > 0 ||
                   !(flat->types & LM_SCHEMA_INTEGER);
    for (size_t i = 0; i < flat->forbidden.count; i++)
        limited = limited || flat->forbidden.data[i]->type == LM_JSON_NUMBER;
    if (!limited) {
        lm_gexpr *known = n_most ? &s->any_number : &s->any_integer;
        if (!*known)
            *known = lm_schema_raw(s, n_most ? "^-?(?:0|[1-9][0-9]{0,15})(?:\\.[0-9]{1,16})?(?:[Ee][+-]?[0-9]{1,3})?$"
                                             : "^(?:0|-?[1-9][0-9]{0,15})$");
        return *known;
    }
    static const lm_schema_decimal zero = {.given = true, .n_integer = 1, .digits = "0"};
    const lm_schema_decimal *least = flat->least.given ? &flat->least : NULL,
                            *most = flat->most.given ? &flat->most : NULL;
    lm_gexpr above = LM_GEXPR_NEVER, below = LM_GEXPR_NEVER,
             whole = of.number > 1 ? divisible(s, of.number, of.n_places) : LM_GEXPR_EMPTY;
    if (!most || !most->negative)
        above = span(s, least && !least->negative ? least : NULL, least && least->exclusive, most,
                     most && most->exclusive, n_most);
    if (!least || least->negative) {
        bool from_most = most && most->negative;
        below = span(s, from_most ? most : &zero, from_most ? most->exclusive : true, least, least && least->exclusive,
                     n_most);
    }
    if (of.number > 1) {
        above = lm_gexpr_both(pool, above, whole);
        below = lm_gexpr_both(pool, below, whole);
    }
    lm_gexpr out = below == LM_GEXPR_NEVER ? above : lm_gexpr_alt2(pool, above, lm_gexpr_seq2(pool, minus, below));
    bool whole_too = flat->types & LM_SCHEMA_INTEGER, different = !whole_too;
    for (size_t i = 0; i < flat->forbidden.count; i++) {
        const lm_json *value = flat->forbidden.data[i];
        if (value->type != LM_JSON_NUMBER) continue;
        out = but(s, out, value);
        different = true;
    }
    for (size_t i = 0; i < flat->excluded.count; i++) {
        const lm_json *multiple = lm_json_get(flat->excluded.data[i], "multipleOf");
        if (!multiple) continue;
        out = no_multiples(s, out, multiple);
        different = true;
    }
    if (!different || n_most == 0) return whole_too ? out : LM_GEXPR_NEVER;
    /* So few digits that who reads doubles sees the difference too. */
    return lm_gexpr_both(pool, out,
                         lm_schema_raw(s, whole_too ? "^-?(?=[0-9.]{1,15}$)[0-9]+(?:\\.[0-9]+)?$"
                                                    : "^-?(?=[0-9.]{1,15}$)[0-9]+\\.[0-9]*[1-9][0-9]*$"));
}
