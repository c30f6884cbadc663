/* SPDX-License-Identifier: MIT
 * Bytes of all tokens of a model, control tokens with their text. */
#ifndef LM_MODEL_MODEL_PIECES_H
#define LM_MODEL_MODEL_PIECES_H

#include <stddef.h>

#include <lm/model.h>

typedef struct lm_pieces lm_pieces;

/* NULL when out of memory. Lives as long as the model. */
const lm_pieces *lm_model_pieces(lm_model *model);
/* Borrowed; empty for an id outside the vocabulary. */
const char *lm_pieces_get(const lm_pieces *pieces, lm_token token, size_t *size);
void lm_model_pieces_free(lm_model *model);

#endif
