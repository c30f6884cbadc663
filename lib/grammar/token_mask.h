/* SPDX-License-Identifier: MIT
 * Token masks and their cache, one cache per grammar and vocabulary, shared by all threads that use the two.
 *
 * The mask of a set is the union over its items. What an item accepts depends on its state, on how near its count is to its
 * bounds, and, for tokens that go past the end of its rule, on where its frame returns to. So the cache is a forest: a root
 * for each (state, count), with the tokens it accepts alone and a list of open ones; below it a child for each place to
 * return to, which decides the open tokens one frame further, and so on. Few tokens stay open, and fewer at each level.
 *
 * Entries are never changed once published and are freed with the cache, so readers need no lock; two threads that compute
 * the same entry at once both succeed, and one of the results is dropped. */
#ifndef LM_GRAMMAR_TOKEN_MASK_H
#define LM_GRAMMAR_TOKEN_MASK_H

#include "chart.h"
#include "token_trie.h"

typedef struct lm_mask_entry lm_mask_entry;

typedef struct lm_token_masks {
    struct lm_token_masks *next;     /* of the same grammar */
    const lm_grammar *grammar;       /* borrowed: it owns this */
    lm_grammar_vocab *vocab;         /* a reference */
    uint32_t window;                 /* counts farther than this from a bound are alike */
    atomic_size_t bytes;             /* of entries */
    _Atomic(lm_mask_entry *) *roots; /* [n_states] */
} lm_token_masks;

typedef struct lm_mask_walk { /* where a walk stands at one depth */
    uint32_t state, sets;     /* state: LM_MASK_IN_CHART when the chart's last set says it */
    uint8_t escaped;
} lm_mask_walk;

typedef struct lm_mask_pair {
    uint32_t state, slice;
} lm_mask_pair;

/* What computing needs; one per matcher. */
typedef struct lm_mask_scratch {
    lm_chart probe;
    uint32_t *bits;    /* [n_words] */
    uint32_t *decided; /* [n_words] tokens that the whole chart was asked about for this mask */
    bool has_decided;
    lm_mask_walk *walk; /* [max_bytes + 1] */
    size_t n_words, n_walk;
    LM_ARRAY(uint32_t) ids;
    LM_ARRAY(uint32_t) open; /* indices into the vocabulary's order */
    LM_ARRAY(uint32_t) rest; /* likewise */
    LM_ARRAY(lm_chart_item) path;
    LM_ARRAY(lm_mask_pair) pairs;
    LM_ARRAY(uint32_t) frontier;
} lm_mask_scratch;

/* The cache of grammar for vocab, made when it is the first time. */
lm_status lm_token_masks_get(lm_grammar *grammar, lm_grammar_vocab *vocab, lm_token_masks **out);
/* Free a list of caches. */
void lm_token_masks_free(lm_token_masks *masks);

lm_status lm_mask_scratch_init(lm_mask_scratch *scratch, const lm_env *env, const lm_token_masks *masks);
void lm_mask_scratch_free(lm_mask_scratch *scratch, const lm_env *env);

/* Set the bits of the tokens that may follow the chart's last set. mask [n_words of the vocabulary]. */
lm_status lm_token_masks_apply(lm_token_masks *masks, lm_chart *chart, lm_mask_scratch *scratch, uint32_t *mask);

/* Decide the tokens of a root: bits, and open. */
lm_status lm_mask_walk_root(lm_token_masks *masks, lm_chart_item item, lm_mask_scratch *scratch);
/* Decide the given open tokens from the last set of chart: those that live go to ids, those that may to open. */
lm_status lm_mask_walk_tokens(const lm_grammar_vocab *vocab, lm_chart *chart, const uint32_t *tokens, size_t n,
                              lm_mask_scratch *scratch);
/* A probe whose last set holds path[0], in frames that return to path[1], path[2], ...; the last caller is unknown. */
lm_status lm_mask_probe(const lm_grammar *grammar, lm_mask_scratch *scratch, size_t n_path);

#endif
