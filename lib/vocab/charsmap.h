/* SPDX-License-Identifier: MIT
 * The precompiled character map of a unigram vocabulary: a double-array trie from byte strings to replacements. All of it
 * comes from the file; every index and offset is checked when used. */
#ifndef LM_VOCAB_CHARSMAP_H
#define LM_VOCAB_CHARSMAP_H

#include "vocab_internal.h"

/* Bounds that keep a crafted map from turning a short text into a long computation. */
#define LM_CHARSMAP_MAX_KEY 128u
#define LM_CHARSMAP_MAX_REPLACEMENT 512u

/* Read the blob: u32 size of the trie, the trie, the replacements. */
lm_status lm_charsmap_open(lm_charsmap *map, const uint8_t *blob, size_t size, lm_error *error);

/* The longest key text begins with: its length in *key, 0 when there is none, and the replacement. LM_ERR_FORMAT when the
 * map points outside itself. */
lm_status lm_charsmap_match(const lm_charsmap *map, const uint8_t *text, size_t n, size_t *key,
                            const uint8_t **replacement, size_t *size);

#endif
