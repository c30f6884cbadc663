/* SPDX-License-Identifier: MIT
 * Inside of the pre-tokenizer: the stages a type is made of, and the two files that implement them. A stage function is
 * given the rest of a piece (p < end) and returns where the first cut is. */
#ifndef LM_VOCAB_PRETOK_STAGES_H
#define LM_VOCAB_PRETOK_STAGES_H

#include "pretokenize.h"
#include "unicode.h"

enum {
    NONE,
    /* words: alternatives tried at each position (pretok_words.c) */
    GPT2,
    LLAMA3,
    QWEN2,
    QWEN35,
    UFAKZEKA,
    MINICPM,
    SEED_CODER,
    BAILING,
    JAIS2,
    EXAONE_MOE,
    TEKKEN,
    O200K,
    TINY_AYA,
    YOUTU,
    GRANITE,
    KIMI,
    DEEPSEEK,
    WORD_STAGES_END,
    /* runs and patterns of one class (pretok_runs.c) */
    PUNCT_RUN,         /* [\p{P}$+<=>^~|]+ */
    PUNCT_TICK_RUN,    /* the same with ` */
    NUMBER_RUN,        /* \p{N}+ */
    NUMBER_1,          /* \p{N} */
    NUMBER_1_3,        /* \p{N}{1,3} */
    NUMBER_FROM_RIGHT, /* runs of \p{N} cut in threes from the right */
    DIGITS_3,          /* [0-9][0-9][0-9] */
    DIGIT_BOUNDARY,    /* (?=(\d{3})+(?!\d)) */
    LINE_BREAK,        /* [\r\n] */
    NEWLINE_RUN,       /* [^\n]+|\n+ */
    SPACE_RUN,         /* \S+ */
    TRAILING_SPACE,    /* \s+$ */
    LATIN_WORD,        /* \s?[listed letters]+ */
    LETTER_WORD,       /* \s?\p{L}+ */
    PUNCT_WORD,        /* \s?\p{P}+ */
    WIDE_PUNCT,        /* \s?[listed punctuation]+ */
    CJK_RUN,
    HAN_KANA_RUN,
    AFMOE_RUN,
    YOUTU_RUN,
    BLOOM,           /* a run without white space and sentence punctuation, with one space in front */
    SENTINEL,        /* <sentinel:[0-9]+> */
    IMAGE,           /* IMGIMG[A-I]{1,4}Z */
    CHAMELEON_SPACE, /* [\t\n]|    |  */
    CHAMELEON_PUNCT  /* one of [\p{P}!-/:-@\[-`{-~] */
};

/* Category mask of the code point at p, and its length; 0 and 0 at the end. */
static inline uint32_t lm_pretok_look(const uint8_t *p, const uint8_t *end, size_t *n) {
    if (p >= end) return *n = 0, 0;
    if (*p < 0x80) return *n = 1, lm_unicode_ascii[*p];
    return lm_unicode_mask(lm_utf8_read(p, n));
}

/* End of the run of code points whose mask meets (wanted) or avoids (!wanted) the given bits. */
static inline const uint8_t *lm_pretok_run(const uint8_t *p, const uint8_t *end, uint32_t bits, bool wanted) {
    size_t n;
    while (p < end) {
        uint32_t mask = lm_pretok_look(p, end, &n);
        if (((mask & bits) != 0) != wanted) break;
        p += n;
    }
    return p;
}

const uint8_t *lm_pretok_words(lm_pretok *cut, int stage, const uint8_t *p, const uint8_t *end);
const uint8_t *lm_pretok_runs(lm_pretok *cut, int stage, const uint8_t *p, const uint8_t *end);

#endif
