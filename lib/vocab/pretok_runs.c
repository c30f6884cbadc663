/* SPDX-License-Identifier: MIT
 * The stages that cut out runs of one class or one fixed pattern. A run stage returns the maximal stretch of one class,
 * where class 0 is what the expression does not match. */
#include "pretok_stages.h"

#include <string.h>

#define L LM_UC_L
#define N LM_UC_N
#define P LM_UC_P
#define SPACE LM_UC_SPACE

/* The letters listed by deepseek-llm: Latin, Greek, Cyrillic, Armenian, Georgian, Cherokee and other cased scripts. */
static const uint32_t latin_letters[][2] = {
    {0x41, 0x5A},       {0x61, 0x7A},       {0xB5, 0xB5},       {0xC0, 0xD6},       {0xD8, 0xF6},
    {0xF8, 0x1BA},      {0x1BC, 0x1BF},     {0x1C4, 0x293},     {0x295, 0x2AF},     {0x370, 0x373},
    {0x376, 0x377},     {0x37B, 0x37D},     {0x37F, 0x37F},     {0x386, 0x386},     {0x388, 0x38A},
    {0x38C, 0x38C},     {0x38E, 0x3A1},     {0x3A3, 0x3F5},     {0x3F7, 0x481},     {0x48A, 0x52F},
    {0x531, 0x556},     {0x10A0, 0x10C5},   {0x13A0, 0x13F5},   {0x13F8, 0x13FD},   {0x1C90, 0x1CBA},
    {0x1CBD, 0x1CBF},   {0x1D00, 0x1D2B},   {0x1D6B, 0x1D77},   {0x1D79, 0x1D9A},   {0x1E00, 0x1F15},
    {0x1F18, 0x1F1D},   {0x1F20, 0x1F45},   {0x1F48, 0x1F4D},   {0x1F50, 0x1F57},   {0x1F59, 0x1F59},
    {0x1F5B, 0x1F5B},   {0x1F5D, 0x1F5D},   {0x1F5F, 0x1F7D},   {0x1F80, 0x1FB4},   {0x1FB6, 0x1FBC},
    {0x1FBE, 0x1FBE},   {0x1FC2, 0x1FC4},   {0x1FC6, 0x1FCC},   {0x1FD0, 0x1FD3},   {0x1FD6, 0x1FDB},
    {0x1FE0, 0x1FEC},   {0x1FF2, 0x1FF4},   {0x1FF6, 0x1FFC},   {0x2102, 0x2102},   {0x2107, 0x2107},
    {0x210A, 0x2113},   {0x2115, 0x2115},   {0x2119, 0x211D},   {0x2124, 0x2124},   {0x2126, 0x2126},
    {0x2128, 0x2128},   {0x212A, 0x212D},   {0x212F, 0x2134},   {0x2139, 0x2139},   {0x213C, 0x213F},
    {0x2145, 0x2149},   {0x214E, 0x214E},   {0x2183, 0x2184},   {0x2C00, 0x2C7B},   {0x2C7E, 0x2CE4},
    {0x2CEB, 0x2CEE},   {0x2CF2, 0x2CF3},   {0xA640, 0xA66D},   {0xA680, 0xA69B},   {0xA722, 0xA76F},
    {0xA771, 0xA787},   {0xA78B, 0xA78E},   {0xAB70, 0xABBF},   {0xFB00, 0xFB06},   {0xFB13, 0xFB17},
    {0xFF21, 0xFF3A},   {0xFF41, 0xFF5A},   {0x10400, 0x1044F}, {0x104B0, 0x104D3}, {0x104D8, 0x104FB},
    {0x10C80, 0x10CB2}, {0x10CC0, 0x10CF2}, {0x118A0, 0x118DF}, {0x1E900, 0x1E943},
};

static bool is_latin(uint32_t cp) {
    size_t low = 0, high = sizeof latin_letters / sizeof *latin_letters;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (cp < latin_letters[middle][0])
            high = middle;
        else if (cp > latin_letters[middle][1])
            low = middle + 1;
        else
            return true;
    }
    return false;
}

static bool between(uint32_t cp, uint32_t first, uint32_t last) { return cp >= first && cp <= last; }

/* The two classes of deepseek leave out the white space inside their ranges. */
static bool is_wide_punct(uint32_t cp) {
    if (cp == 0x3000) return false;
    return between(cp, 0x21, 0x2F) || between(cp, 0x3A, 0x7E) || between(cp, 0xFF01, 0xFF0F) ||
           between(cp, 0xFF1A, 0xFF5E) || between(cp, 0x2018, 0x201F) || between(cp, 0x3000, 0x3002);
}

static bool is_wide_cjk(uint32_t cp) {
    if (lm_unicode_mask(cp) & SPACE) return false;
    return between(cp, 0x0800, 0x9FA5) || between(cp, 0xAC00, 0xD7FF);
}

static bool is_han_kana(uint32_t cp) { return between(cp, 0x4E00, 0x9FA5) || between(cp, 0x3040, 0x30FF); }

/* East and South-East Asian blocks; the vendor's class reaches from CJK to U+FAFF without a gap. */
static bool is_afmoe(uint32_t cp) {
    return between(cp, 0x0E40, 0x0EFF) || between(cp, 0x1000, 0x109F) || between(cp, 0x1100, 0x11FF) ||
           between(cp, 0x1780, 0x17FF) || between(cp, 0x2F00, 0x2FDF) || between(cp, 0x3040, 0x30FF) ||
           between(cp, 0x3400, 0x4DBF) || between(cp, 0x4E00, 0xFAFF) || between(cp, 0xFF65, 0xFF9F);
}

static int youtu_class(uint32_t cp) {
    if (between(cp, 0xAC00, 0xD7A3) || between(cp, 0x3131, 0x318E)) return 1;
    if (cp == 0xFF01 || cp == 0x2026 || between(cp, 0x2018, 0x2019) || between(cp, 0x201C, 0x201D) || cp == 0x2014 ||
        between(cp, 0xFF1A, 0xFF1B) || cp == 0xFF0C || between(cp, 0x3001, 0x303F) || between(cp, 0xFE30, 0xFE4F))
        return 2;
    if (between(cp, 0x3105, 0x312F)) return 3;
    return is_han_kana(cp) ? 4 : 0;
}

static bool is_sentence_mark(uint32_t cp) {
    return cp == '(' || cp == ')' || cp == '|' || cp == '.' || cp == ',' || cp == '!' || cp == '?' || cp == 0x2026 ||
           cp == 0x3002 || cp == 0xFF0C || cp == 0x3001 || cp == 0x0964 || cp == 0x06D4 || cp == 0x060C;
}

static int class_of(int stage, uint32_t cp) {
    switch (stage) {
    case PUNCT_TICK_RUN:
        if (cp == '`') return 1;
        /* fallthrough */
    case PUNCT_RUN:
        return (lm_unicode_mask(cp) & P) || cp == '$' || cp == '+' || between(cp, '<', '>') || cp == '^' || cp == '~' ||
               cp == '|';
    case NUMBER_RUN:
    case NUMBER_1:
    case NUMBER_1_3: return (lm_unicode_mask(cp) & N) != 0;
    case LINE_BREAK: return cp == '\r' || cp == '\n';
    case NEWLINE_RUN: return cp == '\n';
    case SPACE_RUN: return (lm_unicode_mask(cp) & SPACE) != 0;
    case LATIN_WORD: return is_latin(cp);
    case LETTER_WORD: return (lm_unicode_mask(cp) & L) != 0;
    case PUNCT_WORD: return (lm_unicode_mask(cp) & P) != 0;
    case WIDE_PUNCT: return is_wide_punct(cp);
    case CJK_RUN: return is_wide_cjk(cp);
    case HAN_KANA_RUN: return is_han_kana(cp);
    case AFMOE_RUN: return is_afmoe(cp);
    case YOUTU_RUN: return youtu_class(cp);
    case BLOOM: return !(lm_unicode_mask(cp) & SPACE) && !is_sentence_mark(cp);
    case CHAMELEON_PUNCT:
        return (cp < 0x80
                    ? between(cp, '!', '/') || between(cp, ':', '@') || between(cp, '[', '`') || between(cp, '{', '~')
                    : (lm_unicode_mask(cp) & P) != 0);
    default: return 0;
    }
}

/* The run that begins at p, at most limit code points when it is not of class 0. */
static const uint8_t *run(int stage, size_t limit, const uint8_t *p, const uint8_t *end) {
    size_t n, count = 1;
    int class = class_of(stage, lm_utf8_read(p, &n));
    for (p += n; p < end && (class == 0 || count < limit); p += n, count++)
        if (class_of(stage, lm_utf8_read(p, &n)) != class) break;
    return p;
}

static const uint8_t *skip(const uint8_t *p, size_t count) {
    while (count-- > 0) p += lm_utf8_lead_length(*p);
    return p;
}

/* Number runs cut so that all groups but the first have three. The text before a run stays with its first group. */
static const uint8_t *numbers_from_right(lm_pretok *cut, const uint8_t *p, const uint8_t *end) {
    size_t n, count = 0;
    if (p < cut->digits_end) return skip(p, 3);
    while (p < end && !class_of(NUMBER_RUN, lm_utf8_read(p, &n))) p += n;
    const uint8_t *q = p;
    for (; q < end && class_of(NUMBER_RUN, lm_utf8_read(q, &n)); q += n) count++;
    cut->digits_end = q;
    return count == 0 ? p : skip(p, count % 3 ? count % 3 : 3);
}

/* [ ]?X+ with the optional character in front given by the mask of white space, or by ' ' alone. */
static const uint8_t *word(int stage, bool any_space, const uint8_t *p, const uint8_t *end) {
    size_t n, m;
    bool begun = false;
    for (const uint8_t *start = p;; p += n) {
        if (p == end) return p;
        uint32_t cp = lm_utf8_read(p, &n);
        bool space = any_space ? (lm_unicode_mask(cp) & SPACE) != 0 : cp == ' ';
        bool space_word = space && p + n < end && class_of(stage, lm_utf8_read(p + n, &m));
        begun = space_word || class_of(stage, cp);
        if (!begun) continue;
        if (p > start) return p; /* what lies before does not match */
        return run(stage, SIZE_MAX, space_word ? p + n : p, end);
    }
}

static bool digit(uint8_t c) { return c >= '0' && c <= '9'; }

static const uint8_t *digit_run(const uint8_t *p, const uint8_t *end) {
    while (p < end && digit(*p)) p++;
    return p;
}

/* [0-9][0-9][0-9] */
static const uint8_t *three_digits(const uint8_t *p, const uint8_t *end) {
    if (end - p >= 3 && digit(p[0]) && digit(p[1]) && digit(p[2])) return p + 3;
    for (p++; p < end; p++)
        if (digit(*p) && end - p >= 3 && digit(p[1]) && digit(p[2])) return p;
    return end;
}

/* Cut before every place that a multiple of three digits follows up to the end of their run; p itself is no cut. */
static const uint8_t *digit_boundary(lm_pretok *cut, const uint8_t *p, const uint8_t *end) {
    const uint8_t *q = p, *stop;
    if (p < cut->digits_end) { /* the cut before */
        if (cut->digits_end - p > 3) return p + 3;
        q = cut->digits_end;
    }
    for (; q < end; q = stop < end ? stop + lm_utf8_lead_length(*stop) : stop) {
        stop = digit_run(q, end);
        const uint8_t *at = q + (size_t)(stop - q) % 3;
        if (at == p) at += 3;
        if (at >= stop) continue;
        cut->digits_end = stop;
        return at;
    }
    return end;
}

static const uint8_t *trailing_space(const uint8_t *p, const uint8_t *end) {
    const uint8_t *cut = p;
    size_t n;
    for (const uint8_t *q = p; q < end; q += n)
        if (!(lm_pretok_look(q, end, &n) & SPACE)) cut = q + n;
    return cut == p ? end : cut;
}

static size_t sentinel(const uint8_t *p, const uint8_t *end) {
    static const char opening[] = "<sentinel:";
    size_t n = sizeof opening - 1;
    if ((size_t)(end - p) < n || memcmp(p, opening, n) != 0) return 0;
    const uint8_t *q = digit_run(p + n, end);
    return q > p + n && q < end && *q == '>' ? (size_t)(q + 1 - p) : 0;
}

static size_t image(const uint8_t *p, const uint8_t *end) {
    if (end - p < 8 || memcmp(p, "IMGIMG", 6) != 0) return 0;
    const uint8_t *q = p + 6;
    while (q < end && q < p + 10 && *q >= 'A' && *q <= 'I') q++;
    return q > p + 6 && q < end && *q == 'Z' ? (size_t)(q + 1 - p) : 0;
}

static size_t chameleon_space(const uint8_t *p, const uint8_t *end) {
    if (*p == '\t' || *p == '\n') return 1;
    if (end - p >= 4 && memcmp(p, "    ", 4) == 0) return 4;
    return end - p >= 2 && p[0] == ' ' && p[1] == ' ' ? 2 : 0;
}

static const uint8_t *pattern(size_t (*length)(const uint8_t *, const uint8_t *), const uint8_t *p,
                              const uint8_t *end) {
    size_t n = length(p, end);
    if (n) return p + n;
    for (p++; p < end && !length(p, end);) p++;
    return p;
}

const uint8_t *lm_pretok_runs(lm_pretok *cut, int stage, const uint8_t *p, const uint8_t *end) {
    switch (stage) {
    case NUMBER_1:
    case LINE_BREAK:
    case CHAMELEON_PUNCT: return run(stage, 1, p, end);
    case NUMBER_1_3: return run(stage, 3, p, end);
    case DIGITS_3: return three_digits(p, end);
    case NUMBER_FROM_RIGHT: return numbers_from_right(cut, p, end);
    case DIGIT_BOUNDARY: return digit_boundary(cut, p, end);
    case TRAILING_SPACE: return trailing_space(p, end);
    case LATIN_WORD:
    case LETTER_WORD:
    case PUNCT_WORD:
    case WIDE_PUNCT: return word(stage, true, p, end);
    case BLOOM: return word(stage, false, p, end);
    case SENTINEL: return pattern(sentinel, p, end);
    case IMAGE: return pattern(image, p, end);
    case CHAMELEON_SPACE: return pattern(chameleon_space, p, end);
    default: return run(stage, SIZE_MAX, p, end);
    }
}
