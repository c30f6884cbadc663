/* SPDX-License-Identifier: MIT
 * Cutting text into the pieces that byte-pair merging may not cross. Each tokenizer.ggml.pre name selects up to six
 * stages; every stage cuts the pieces of the stage before, and text a stage does not match stays as a piece of its own,
 * so the pieces always concatenate to the text. An iterator holds one position per stage: no memory, linear time.
 * Text must be well-formed UTF-8. */
#ifndef LM_VOCAB_PRETOKENIZE_H
#define LM_VOCAB_PRETOKENIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LM_PRETOK_STAGES_MAX 6

/* What a name says beside its stages. */
enum {
    LM_PRETOK_KEEP_SPACES = 1,   /* detokenising does not clean spaces before punctuation */
    LM_PRETOK_IGNORE_MERGES = 2, /* a piece that is a token is emitted whole */
    LM_PRETOK_ADD_BOS = 4,
    LM_PRETOK_ADD_SEP = 8,
    LM_PRETOK_RAW = 16,           /* pieces are UTF-8, not mapped through the byte alphabet */
    LM_PRETOK_ESCAPE_SPACES = 32, /* spaces become U+2581 first */
    LM_PRETOK_NO_BOS = 64,        /* there is no default BOS id */
    LM_PRETOK_DROP_SPACES = 128, /* white-space pieces are not encoded; the text is lower-cased when the file says so */
    LM_PRETOK_WHOLE_NEWLINES = 256, /* a piece of line feeds that is a token is emitted whole */
    LM_PRETOK_MERGES_OPTIONAL = 512,
    LM_PRETOK_FORCE_BOS = 1024 /* BOS is added whatever the file says */
};

typedef struct lm_pretok_type {
    const char *name;
    uint16_t flags;
    uint8_t stages[LM_PRETOK_STAGES_MAX]; /* private numbers, 0 ends the list */
} lm_pretok_type;

typedef struct lm_pretok {
    const lm_pretok_type *type;
    int n_stages;
    const uint8_t *at[LM_PRETOK_STAGES_MAX], *end[LM_PRETOK_STAGES_MAX];
    const uint8_t *blank_end;  /* up to here white space is known to hold no line break */
    const uint8_t *digits_end; /* up to here digits are being cut into threes */
} lm_pretok;

/* The type of a name, or NULL. */
const lm_pretok_type *lm_pretok_find(const char *name, size_t n);

/* The number of names, and the name at an index; for tests and listings. */
size_t lm_pretok_count(void);
const lm_pretok_type *lm_pretok_at(size_t index);

void lm_pretok_begin(lm_pretok *cut, const lm_pretok_type *type, const uint8_t *text, size_t n);

/* The next piece, never empty; false at the end. */
bool lm_pretok_next(lm_pretok *cut, const uint8_t **piece, size_t *n);

#endif
