/* SPDX-License-Identifier: MIT
 * Who holds which cache page: sequences with a page table per layer group, reference counts, and the tree of finished pages.
 * Bookkeeping only: the pages themselves live in the backends, and the few copies this room asks for go through lm_kv_mover.
 *
 *   page      64 consecutive positions of one sequence in all layers of a group; numbered per group; counted references
 *   sequence  tokens [0, n), and for each group the pages that hold them; a page that slid out of a group's window is given back
 *   tree      finished pages by the tokens that led to them: node = 64 tokens after its parent. The tree holds one reference to each of
 *             its pages, so a prefix survives its sequence until the page is wanted for something else, least recently used first
 *   state     recurrent layers' memory of a sequence, a slot; a checkpoint is a copy of it kept by the node it was taken at
 *
 * Everything is reserved at creation; later calls allocate nothing. Not thread-safe. */
#ifndef LM_KV_KV_H
#define LM_KV_KV_H

#include <stdbool.h>

#include <lm/base.h>

#include "../base/env.h"

#define LM_KV_PAGE 64
#define LM_KV_MAX_GROUPS 4

/* Copies of cache contents, done by whoever owns the backends. */
typedef struct lm_kv_mover {
    void *user;
    lm_status (*copy_page)(void *user, int32_t group, int32_t to, int32_t from);
    lm_status (*copy_state)(void *user, int32_t to, int32_t from);
    lm_status (*clear_state)(void *user, int32_t slot);
} lm_kv_mover;

typedef struct lm_kv_params {
    int32_t n_groups;
    int32_t windows[LM_KV_MAX_GROUPS]; /* 0: the group sees everything */
    int32_t n_pages[LM_KV_MAX_GROUPS];
    int32_t n_seqs, n_positions; /* sequences, and positions of each */
    int32_t
        n_states; /* state slots: 0 without recurrent layers, else n_seqs for the sequences, the rest for checkpoints */
} lm_kv_params;

typedef struct lm_kv lm_kv;

lm_status lm_kv_create(const lm_env *env, const lm_kv_params *params, const lm_kv_mover *mover, lm_kv **out);
void lm_kv_destroy(lm_kv *kv);
/* Bytes lm_kv_create takes for params; exact. */
size_t lm_kv_bytes(const lm_kv_params *params);
/* Pages of a group that a full sequence needs at once when up to n_batch tokens are evaluated together. */
int32_t lm_kv_pages_per_seq(int32_t window, int32_t n_positions, int32_t n_batch);

/* ---- sequences, [0, n_seqs) ---- */

int32_t lm_kv_length(const lm_kv *kv, int32_t seq);
const lm_token *lm_kv_tokens(const lm_kv *kv, int32_t seq);
int32_t lm_kv_state(const lm_kv *kv, int32_t seq); /* slot, -1 without recurrent layers */
/* pages[group][p / LM_KV_PAGE], valid until the sequence changes. */
const int32_t *const *lm_kv_pages(const lm_kv *kv, int32_t seq);

/* Make room for n more tokens: pages that only this sequence writes. LM_ERR_FULL when positions or pages run out (nothing changed but the
 * least recently used pages of the tree). The tokens count only after lm_kv_commit. */
lm_status lm_kv_reserve(lm_kv *kv, int32_t seq, int32_t n);
/* The reserved tokens have been evaluated: append them, hand finished pages to the tree, give back what slid out of a window. */
void lm_kv_commit(lm_kv *kv, int32_t seq, const lm_token *tokens, int32_t n);
/* The reserved tokens were not evaluated: give their pages back. */
void lm_kv_cancel(lm_kv *kv, int32_t seq);

/* Drop all tokens from position n on. LM_ERR_STATE, with nothing changed, when what is left cannot be continued: the window's pages
 * are gone, or recurrent state would have to go back to where no checkpoint is (lm_kv_resume finds the best place then). */
lm_status lm_kv_trim(lm_kv *kv, int32_t seq, int32_t n);
/* Empty the sequence; its finished pages stay in the tree. */
void lm_kv_close(lm_kv *kv, int32_t seq);
/* `to`, emptied first, becomes a copy of `from`; pages are shared until one of them writes. */
lm_status lm_kv_fork(lm_kv *kv, int32_t from, int32_t to);

/* ---- prefixes ---- */

typedef enum lm_kv_reason {
    LM_KV_REASON_NONE = 0,      /* everything asked for was reused */
    LM_KV_REASON_UNKNOWN = 1,   /* no sequence or page known continues like this */
    LM_KV_REASON_WINDOW = 2,    /* the tokens are known, but a windowed layer's pages before that point are gone */
    LM_KV_REASON_CHECKPOINT = 3 /* the tokens are known, but recurrent state was not kept there */
} lm_kv_reason;

typedef struct lm_kv_resumed {
    int32_t n_reused;    /* positions the sequence holds now */
    int32_t n_matched;   /* positions whose tokens were known */
    int32_t from_tree;   /* of n_reused, how many came from finished pages instead of the sequence itself */
    int32_t checkpoint;  /* position of the checkpoint that was restored, -1 for none */
    lm_kv_reason reason; /* why n_reused is not more */
} lm_kv_resumed;

/* Make the sequence the longest known prefix of tokens, at most n_max positions. */
lm_status lm_kv_resume(lm_kv *kv, int32_t seq, const lm_token *tokens, int32_t n_max, lm_kv_resumed *out);

/* Keep a copy of the sequence's recurrent state at its current length, which must be a page end. False when no slot can be had. */
bool lm_kv_checkpoint(lm_kv *kv, int32_t seq);

/* Pages of a group that nothing but the tree holds, and those nothing holds. */
int32_t lm_kv_free_pages(const lm_kv *kv, int32_t group);
int32_t lm_kv_tree_pages(const lm_kv *kv, int32_t group);

#endif
