/* SPDX-License-Identifier: MIT
 * The word stages: at each position contraction, letters, numbers, punctuation and white space are tried in this order,
 * with the differences between vendors in one row of numbers each. Where nothing matches, code points are gathered until
 * something does. The patterns are those the vendors publish; each function names the one it stands for. No backtracking:
 * where an expression would step back, the position to return to is remembered on the way. */
#include "pretok_stages.h"

enum { LETTERS_RUN, LETTERS_CASED, LETTERS_PHRASE, LETTERS_BUT_HAN };
enum { CONTRACTION_NONE, CONTRACTION_LOWER, CONTRACTION_ANY, CONTRACTION_SUFFIX };
enum { TAIL_NONE, TAIL_BREAKS, TAIL_BREAKS_SLASHES, TAIL_ONE_BREAK_OR_SLASH };

#define L LM_UC_L
#define M LM_UC_M
#define N LM_UC_N
#define P LM_UC_P
#define S LM_UC_S
#define SPACE LM_UC_SPACE
#define UPPER (LM_UC_LU | LM_UC_LT | LM_UC_LM | LM_UC_LO | LM_UC_M)
#define LOWER (LM_UC_LL | LM_UC_LM | LM_UC_LO | LM_UC_M)

typedef struct rules {
    uint8_t contraction;
    uint8_t letters;
    uint8_t tail;        /* what may follow punctuation */
    uint8_t numbers_max; /* 0: numbers do not match, 255: any length */
    bool space_prefix;   /* letters and numbers take one space in front and nothing else */
    bool ascii_word;     /* one ASCII punctuation character and ASCII letters form a word */
    bool breaks;         /* \s*[\r\n]+ comes before \s+(?!\S) */
    bool ladder;         /* white space is cut into powers of two, jais-2 */
    bool fold_long_s;    /* CONTRACTION_SUFFIX: 's may be written with U+017F */
    bool ascii_case;     /* LETTERS_CASED knows only A-Z and a-z as cased */
    uint32_t prefix_not; /* letters take one code point in front that is neither a line break nor of these categories */
    uint32_t letter;     /* LETTERS_RUN */
    uint32_t upper, lower; /* LETTERS_CASED */
    uint32_t punct_not;    /* punctuation is what avoids these, or when 0 what is in P and S */
} rules;

static const rules all_rules[WORD_STAGES_END] = {
    [GPT2] = {CONTRACTION_LOWER, LETTERS_RUN, TAIL_NONE, 255, true, .letter = L, .punct_not = SPACE | L | N},
    [LLAMA3] = {CONTRACTION_ANY, LETTERS_RUN, TAIL_BREAKS, 3, .breaks = true, .prefix_not = L | N, .letter = L,
                .punct_not = SPACE | L | N},
    [QWEN2] = {CONTRACTION_ANY, LETTERS_RUN, TAIL_BREAKS, 1, .breaks = true, .prefix_not = L | N, .letter = L,
               .punct_not = SPACE | L | N},
    [QWEN35] = {CONTRACTION_ANY, LETTERS_RUN, TAIL_BREAKS, 1, .breaks = true, .prefix_not = L | N, .letter = L | M,
                .punct_not = SPACE | L | M | N},
    [UFAKZEKA] = {CONTRACTION_NONE, LETTERS_RUN, TAIL_BREAKS, 1, .breaks = true, .prefix_not = L | N, .letter = L,
                  .punct_not = SPACE | L | N},
    [MINICPM] = {CONTRACTION_ANY, LETTERS_RUN, TAIL_BREAKS, 255, .breaks = true, .prefix_not = L | N, .letter = L,
                 .punct_not = SPACE | L | N},
    [SEED_CODER] = {CONTRACTION_ANY, LETTERS_RUN, TAIL_NONE, 1, .breaks = true, .prefix_not = L | N, .letter = L,
                    .punct_not = SPACE | L | N},
    [BAILING] = {CONTRACTION_ANY, LETTERS_RUN, TAIL_BREAKS, 1, .breaks = true, .prefix_not = L | N, .letter = L,
                 .punct_not = SPACE | L | N},
    [JAIS2] = {CONTRACTION_ANY, LETTERS_RUN, TAIL_BREAKS, 3, .breaks = true, .ladder = true, .prefix_not = L | N,
               .letter = L, .punct_not = SPACE | L | N},
    [EXAONE_MOE] = {CONTRACTION_ANY, LETTERS_PHRASE, TAIL_ONE_BREAK_OR_SLASH, 1, .breaks = true, .prefix_not = L | N,
                    .punct_not = SPACE | L | N},
    [TEKKEN] = {CONTRACTION_NONE, LETTERS_CASED, TAIL_BREAKS_SLASHES, 1, .breaks = true, .prefix_not = L | N,
                .upper = UPPER, .lower = LOWER, .punct_not = SPACE | L | N},
    [O200K] = {CONTRACTION_SUFFIX, LETTERS_CASED, TAIL_BREAKS_SLASHES, 3, .breaks = true, .fold_long_s = true,
               .prefix_not = L | N, .upper = UPPER, .lower = LOWER, .punct_not = SPACE | L | N},
    [TINY_AYA] = {CONTRACTION_SUFFIX, LETTERS_CASED, TAIL_BREAKS_SLASHES, 3, .breaks = true, .prefix_not = L | N,
                  .upper = L | M, .lower = L | M, .punct_not = SPACE | L | N},
    [YOUTU] = {CONTRACTION_SUFFIX, LETTERS_CASED, TAIL_BREAKS_SLASHES, 1, .breaks = true, .prefix_not = L | N,
               .upper = L | M, .lower = L | M, .punct_not = SPACE | L | N},
    [GRANITE] = {CONTRACTION_SUFFIX, LETTERS_CASED, TAIL_BREAKS_SLASHES, 3, .breaks = true, .ascii_case = true,
                 .prefix_not = L | N, .upper = L | M, .lower = L | M, .punct_not = SPACE | L | N},
    [KIMI] = {CONTRACTION_SUFFIX, LETTERS_BUT_HAN, TAIL_BREAKS, 3, .breaks = true, .prefix_not = L | N, .letter = L,
              .punct_not = SPACE | L | N},
    [DEEPSEEK] = {CONTRACTION_NONE, LETTERS_RUN, TAIL_BREAKS, 0, .ascii_word = true, .breaks = true,
                  .prefix_not = L | P | S, .letter = L | M, .punct_not = 0},
};

static bool is_break(uint8_t c) { return c == '\r' || c == '\n'; }
static bool ascii_lower(uint8_t c) { return c >= 'a' && c <= 'z'; }
static bool ascii_upper(uint8_t c) { return c >= 'A' && c <= 'Z'; }
static bool ascii_letter(uint8_t c) { return ascii_lower((uint8_t)(c | 32)); }

/* 's 't 're 've 'm 'll 'd: the length at p, or 0. any accepts ASCII capitals. */
static size_t contraction(const uint8_t *p, const uint8_t *end, bool any) {
    if (end - p < 2 || *p != '\'') return 0;
    uint8_t fold = any ? 32 : 0, a = p[1] | (ascii_letter(p[1]) ? fold : 0);
    if (a == 's' || a == 't' || a == 'm' || a == 'd') return 2;
    if (end - p < 3) return 0;
    uint8_t b = p[2] | (ascii_letter(p[2]) ? fold : 0);
    return (a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l') ? 3 : 0;
}

static bool is_han(uint32_t cp) {
    return (cp >= 0x4E00 && cp <= 0x9FFF) || (cp >= 0x3400 && cp <= 0x4DBF) || (cp >= 0x20000 && cp <= 0x2A6DF) ||
           (cp >= 0x2A700 && cp <= 0x2B73F) || (cp >= 0x2B740 && cp <= 0x2EBEF) || (cp >= 0xF900 && cp <= 0xFAFF) ||
           (cp >= 0x2F800 && cp <= 0x2FA1F);
}

/* [upper]*[lower]+ or else [upper]+[lower]*, from p; *first tells whether it is the former. */
static const uint8_t *cased(const rules *r, const uint8_t *p, const uint8_t *end, bool *first) {
    const uint8_t *q = p, *after_both = NULL; /* behind the last code point that is in both classes */
    size_t n;
    for (; q < end; q += n) {
        uint32_t mask = lm_pretok_look(q, end, &n);
        if (!(mask & r->upper) || (r->ascii_case && ascii_lower(*q))) break;
        if ((mask & r->lower) && !(r->ascii_case && ascii_upper(*q))) after_both = q + n;
    }
    const uint8_t *upper_end = q;
    for (; q < end; q += n) {
        uint32_t mask = lm_pretok_look(q, end, &n);
        if (!(mask & r->lower) || (r->ascii_case && ascii_upper(*q))) break;
    }
    *first = q > upper_end || after_both;
    return q > upper_end || !after_both ? q : after_both;
}

/* (?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+ */
static const uint8_t *phrase(const uint8_t *p, const uint8_t *end) {
    size_t n, m;
    if (!(lm_pretok_look(p, end, &n) & L)) return p;
    while (lm_pretok_look(p, end, &n) & L) {
        p = lm_pretok_run(p + n, end, M, true);
        if (p < end && *p == ' ' && (lm_pretok_look(p + 1, end, &m) & L)) p++;
    }
    return p;
}

static const uint8_t *but_han(const uint8_t *p, const uint8_t *end) {
    while (p < end) {
        size_t n;
        uint32_t cp = lm_utf8_read(p, &n);
        if (!(lm_unicode_mask(cp) & L) || is_han(cp)) break;
        p += n;
    }
    return p;
}

static const uint8_t *letter_run(const rules *r, const uint8_t *p, const uint8_t *end, bool *first) {
    switch (r->letters) {
    case LETTERS_CASED: return cased(r, p, end, first);
    case LETTERS_PHRASE: return phrase(p, end);
    case LETTERS_BUT_HAN: return but_han(p, end);
    default: return lm_pretok_run(p, end, r->letter, true);
    }
}

static const uint8_t *letters(const rules *r, uint32_t mask, size_t n, const uint8_t *p, const uint8_t *end) {
    bool prefix =
        r->space_prefix ? *p == ' ' : (!(mask & r->prefix_not) || (*p == '~' && !r->punct_not)) && !is_break(*p);
    const uint8_t *q = p;
    bool first = true;
    if (prefix) q = letter_run(r, p + n, end, &first);
    /* A mark alone is a match of the first alternative, which comes before the second with a prefix. */
    if (!prefix || q == p + n || (!first && (mask & M))) q = letter_run(r, p, end, &first);
    if (q > p && r->contraction == CONTRACTION_SUFFIX) {
        size_t length = contraction(q, end, true);
        if (!length && r->fold_long_s && end - q >= 3 && q[0] == '\'' && q[1] == 0xC5 && q[2] == 0xBF) length = 3;
        q += length;
    }
    return q;
}

static const uint8_t *numbers(const rules *r, const uint8_t *p, const uint8_t *end) {
    size_t n;
    if (r->numbers_max == 255) return lm_pretok_run(p, end, N, true);
    for (int i = 0; i < r->numbers_max && (lm_pretok_look(p, end, &n) & N); i++) p += n;
    return p;
}

/* [\p{P}\p{S}]+ without '~', which the reference for this expression does not count among the symbols. */
static const uint8_t *symbols(const uint8_t *p, const uint8_t *end) {
    size_t n;
    for (; p < end && *p != '~'; p += n)
        if (!(lm_pretok_look(p, end, &n) & (P | S))) break;
    return p;
}

static const uint8_t *punctuation(const rules *r, const uint8_t *p, const uint8_t *end) {
    const uint8_t *start = *p == ' ' ? p + 1 : p;
    const uint8_t *q = r->punct_not ? lm_pretok_run(start, end, r->punct_not, false) : symbols(start, end);
    if (q == start) return p;
    switch (r->tail) {
    case TAIL_BREAKS:
        while (q < end && is_break(*q)) q++;
        break;
    case TAIL_BREAKS_SLASHES:
        while (q < end && (is_break(*q) || *q == '/')) q++;
        break;
    case TAIL_ONE_BREAK_OR_SLASH:
        if (q < end && (is_break(*q) || *q == '/')) q++;
        break;
    default: break;
    }
    return q;
}

/* \s*[\r\n]+ | \s+(?!\S) | \s+, from white space at p; with ladder the last two take a power of two instead. */
static const uint8_t *white_space(lm_pretok *cut, const rules *r, const uint8_t *p, const uint8_t *end) {
    const uint8_t *q = p, *last = p, *after_break = NULL;
    size_t n, count = 0;
    bool look_for_breaks = r->breaks && p >= cut->blank_end;
    while (lm_pretok_look(q, end, &n) & SPACE) {
        if (r->ladder && !look_for_breaks && count > 512) break;
        if (is_break(*q)) after_break = q + 1;
        last = q;
        q += n;
        count++;
    }
    if (look_for_breaks && after_break) return after_break;
    if (look_for_breaks) cut->blank_end = q;
    size_t inside = q == end ? count : count - 1; /* characters that white space or the end follows */
    if (!r->ladder) return inside == 0 || q == end ? q : last;
    size_t take = 1;
    while (take < 512 && take * 2 <= inside) take *= 2;
    for (; take > 0; take--) p += lm_utf8_lead_length(*p);
    return p;
}

/* The end of the match at p, or p. */
static const uint8_t *match(lm_pretok *cut, const rules *r, const uint8_t *p, const uint8_t *end) {
    size_t n, next_n;
    uint32_t mask = lm_pretok_look(p, end, &n);
    if (*p == '\'' && (r->contraction == CONTRACTION_LOWER || r->contraction == CONTRACTION_ANY)) {
        size_t length = contraction(p, end, r->contraction == CONTRACTION_ANY);
        if (length) return p + length;
    }
    if (r->ascii_word && *p < 0x80 && (mask & (P | S)) && p + 1 < end && ascii_letter(p[1])) {
        for (p++; p < end && ascii_letter(*p);) p++;
        return p;
    }
    const uint8_t *q;
    if (r->letters == LETTERS_BUT_HAN && *p >= 0x80) { /* [\p{Han}]+ comes before the words */
        for (q = p; q < end; q += n)
            if (!is_han(lm_utf8_read(q, &n))) break;
        if (q > p) return q;
        mask = lm_pretok_look(p, end, &n);
    }
    q = letters(r, mask, n, p, end);
    if (q > p) return q;
    if (r->space_prefix && *p == ' ' && (lm_pretok_look(p + 1, end, &next_n) & N)) return numbers(r, p + 1, end);
    q = numbers(r, p, end);
    if (q > p) return q;
    q = punctuation(r, p, end);
    if (q > p) return q;
    return mask & SPACE ? white_space(cut, r, p, end) : p;
}

const uint8_t *lm_pretok_words(lm_pretok *cut, int stage, const uint8_t *p, const uint8_t *end) {
    const rules *r = &all_rules[stage];
    const uint8_t *q = match(cut, r, p, end);
    if (q > p) return q;
    size_t n;
    do lm_pretok_look(q, end, &n), q += n;
    while (q < end && match(cut, r, q, end) == q);
    return q;
}
