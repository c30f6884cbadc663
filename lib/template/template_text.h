/* SPDX-License-Identifier: MIT
 * Strings of a running template. Besides its bytes every string knows where they come from: written in the template, or
 * taken from the caller's data, and from which item of the list that is traced. The knowledge survives slicing, splitting, joining, replacing and
 * escaping, because all of these copy through a builder that carries it along. Strings never change once made; one made
 * by a builder may be continued in place by the next concatenation, so that building a prompt piece by piece is linear. */
#ifndef LM_TEMPLATE_TEXT_H
#define LM_TEMPLATE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct lm_interp lm_interp;

/* Where a byte comes from: bit 0 is set for the caller's data; the rest is the index of a traced item + 1, or 0 for none. */
typedef uint32_t lm_origin;
#define LM_ORIGIN_TEMPLATE ((lm_origin)0)
#define LM_ORIGIN_CALLER ((lm_origin)1)
#define LM_ORIGIN_ITEM(index) ((((lm_origin)(index)) + 1) << 1)

#define LM_TEXT_BYTES_MAX ((size_t)64 << 20)

typedef struct lm_text_run {
    size_t end; /* in the coordinates of the buffer the run was made for; the last run may reach past a string's end */
    lm_origin origin;
} lm_text_run;

typedef struct lm_text_builder lm_text_builder;

typedef struct lm_text {
    const char *bytes; /* [n], any bytes; what is not UTF-8 counts as U+FFFD where characters matter */
    size_t n;
    size_t n_chars;          /* SIZE_MAX: not counted yet */
    size_t base;             /* coordinate of bytes[0] in runs */
    const lm_text_run *runs; /* NULL: all of it has this origin */
    size_t n_runs;
    lm_origin origin;
    lm_text_builder *builder; /* the buffer bytes lie in, or NULL */
} lm_text;

struct lm_text_builder {
    lm_interp *interp;
    char *bytes;
    size_t used, capacity;
    lm_text_run *runs;
    size_t n_runs, runs_capacity;
    size_t limit;
};

/* NULL and false mean that the interpreter has failed and recorded why. */
lm_text *lm_text_borrow(lm_interp *interp, const char *bytes, size_t n, lm_origin origin);
lm_text *lm_text_copy(lm_interp *interp, const char *bytes, size_t n, lm_origin origin);
const lm_text *lm_text_slice(lm_interp *interp, const lm_text *text, size_t from, size_t to);
const lm_text *lm_text_concat(lm_interp *interp, const lm_text *left, const lm_text *right);

/* Origin of the byte at pos; *end becomes where it changes next (at most text->n). */
lm_origin lm_text_origin(const lm_text *text, size_t pos, size_t *end);

/* Characters are code points. */
size_t lm_text_chars(const lm_text *text);
/* Byte position of a character; index may equal the number of characters. */
size_t lm_text_offset(const lm_text *text, size_t index);
/* Number of the character at a byte position. */
size_t lm_text_index(const lm_text *text, size_t offset);
/* Bytes of the character at pos < n. */
size_t lm_text_char_size(const lm_text *text, size_t pos);

/* Position of needle at or after from, SIZE_MAX when there is none. An empty needle is found at from. */
size_t lm_text_find(const lm_text *text, const lm_text *needle, size_t from);
size_t lm_text_find_last(const lm_text *text, const lm_text *needle, size_t end);
bool lm_text_equal(const lm_text *a, const lm_text *b);
bool lm_text_is(const lm_text *text, const char *word);
/* <0, 0, >0, by code points. */
int lm_text_compare(const lm_text *a, const lm_text *b);

void lm_builder_init(lm_text_builder *builder, lm_interp *interp);
lm_text_builder *lm_builder_new(lm_interp *interp);
bool lm_builder_bytes(lm_text_builder *builder, const char *bytes, size_t n, lm_origin origin);
bool lm_builder_word(lm_text_builder *builder, const char *word); /* of the template's origin */
bool lm_builder_fill(lm_text_builder *builder, char c, size_t n);
bool lm_builder_slice(lm_text_builder *builder, const lm_text *text, size_t from, size_t to);
bool lm_builder_text(lm_text_builder *builder, const lm_text *text);
/* As lm_builder_text, but bytes that come from no item get this one. */
bool lm_builder_emit(lm_text_builder *builder, const lm_text *text, lm_origin item);
/* builder must come from lm_builder_new. */
const lm_text *lm_builder_finish(lm_text_builder *builder);

#endif
