/* SPDX-License-Identifier: MIT
 * Who holds which cache page: sequences with a page table per layer group, reference counts, and the tree of finished pages.
 * Bookkeeping only: the pages themselves live in the backends, and the few copies this room asks for go through lm_kv_mover.
 *
 *   page      64 consecutive positions of one sequence in all layers of a group; numbered per group; counted references
 *   sequence  tokens [0, n), and for each group the pages that hold them; a page that slid out of a group's window is given back
 *   tree      finished pages by the tokens that led to them (one tree for all that was evaluated here, one for each restored sequence): node = 64 tokens after its parent. The tree holds one reference to each of
 *             its pages, so a prefix survives its sequence until the page is wanted for something else, least recently used first
 *   state     recurrent layers' memory of a sequence, a slot. One slot is spare: a call may write there and swap when it succeeded
 *   checkpoint a position with a copy of its state, hung under the node of the last finished page before it. Where layers have windows,
 *             the pages of a checkpoint's window are the last to be given up
 *   owed      tokens that belong to a sequence but whose evaluation was undone and could not be kept; whoever evaluates next starts there
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
    int32_t n_checkpoints;       /* records; without recurrent layers and windows they do nothing */
    int32_t
        n_states;  /* state slots: 0 without recurrent layers, else n_seqs for the sequences, a spare, n_checkpoints */
    int32_t slack; /* tokens that lm_kv_rewind can drop again even where a window moved on */
} lm_kv_params;

typedef struct lm_kv lm_kv;

lm_status lm_kv_create(const lm_env *env, const lm_kv_params *params, const lm_kv_mover *mover, lm_kv **out);
void lm_kv_destroy(lm_kv *kv);
/* Bytes lm_kv_create takes for params; exact. */
size_t lm_kv_bytes(const lm_kv_params *params);
/* Pages of a group that a full sequence needs at once when up to n_batch tokens (slack included) are evaluated together. */
int32_t lm_kv_pages_per_seq(int32_t window, int32_t n_positions, int32_t n_batch);

/* ---- sequences, [0, n_seqs) ---- */

int32_t lm_kv_length(const lm_kv *kv, int32_t seq); /* evaluated tokens */
int32_t lm_kv_owed(const lm_kv *kv, int32_t seq);   /* tokens behind them, in lm_kv_tokens, yet to be evaluated again */
const lm_token *lm_kv_tokens(const lm_kv *kv, int32_t seq);
int32_t lm_kv_state(const lm_kv *kv, int32_t seq); /* slot, -1 without recurrent layers */
int32_t lm_kv_spare(const lm_kv *kv);              /* slot that no sequence uses, -1 without recurrent layers */
/* The spare slot holds the sequence's state from now on, and the other way round. */
void lm_kv_swap_state(lm_kv *kv, int32_t seq);
/* An evaluation in place failed: the slot's contents are of no position. lm_kv_rewind comes next. */
void lm_kv_lose_state(lm_kv *kv, int32_t seq);
/* pages[group][p / LM_KV_PAGE], valid until the sequence changes. */
const int32_t *const *lm_kv_pages(const lm_kv *kv, int32_t seq);

/* Make room for n more tokens: pages that only this sequence writes. LM_ERR_FULL when positions or pages run out (nothing changed but the
 * least recently used pages of the tree). The tokens count only after lm_kv_commit. */
lm_status lm_kv_reserve(lm_kv *kv, int32_t seq, int32_t n);
/* The same for an empty sequence whose n tokens come from a file: without the pages that have left a window by then, but with those of the
 * windows before the n_kept ascending positions `kept`, as far as there are pages. Nobody has evaluated these tokens here: the sequence
 * gets a tree of its own, which forks of it see and no other sequence does, until it is closed or becomes another prefix. */
lm_status lm_kv_reserve_restored(lm_kv *kv, int32_t seq, int32_t n, const int32_t *kept, int32_t n_kept);
/* Whether going on at position n needs this page (p / LM_KV_PAGE) of the group. */
bool lm_kv_window_needs(const lm_kv *kv, int32_t group, int32_t n, int32_t page);
/* The page that holds these positions of the sequence: its own, or one that left its window and is in the tree still; -1. */
int32_t lm_kv_page_at(const lm_kv *kv, int32_t seq, int32_t group, int32_t page);
/* The reserved tokens have been evaluated: append them, hand finished pages to the tree, give back what slid out of a window. */
void lm_kv_commit(lm_kv *kv, int32_t seq, const lm_token *tokens, int32_t n);
/* The reserved tokens were not evaluated: give their pages back. */
void lm_kv_cancel(lm_kv *kv, int32_t seq);

/* Drop all tokens from position n on, which may be past the evaluated ones while some are owed. Where the state of position n is not
 * known (it is when the caller says that the slot holds it) or a window's pages are gone, the sequence becomes the longest prefix that
 * can be had and owes the rest. A status of the mover: then everything is owed. */
lm_status lm_kv_rewind(lm_kv *kv, int32_t seq, int32_t n, bool state_is_there);
/* The sequence is its first n tokens, of which those that are not evaluated are owed. They are in lm_kv_tokens. */
void lm_kv_owe(lm_kv *kv, int32_t seq, int32_t n);
/* The same after the sequence was evaluated further: the slot holds the state of its end and of nothing else. */
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

/* A record for a checkpoint to be made, the least recently used one if need be; -1 when there is none. Its state goes to the slot (-1
 * without recurrent layers); then lm_kv_checkpoint_keep enters it for a position the sequence holds, or lm_kv_checkpoint_drop gives it
 * back. */
int32_t lm_kv_checkpoint_take(lm_kv *kv);
int32_t lm_kv_checkpoint_slot(const lm_kv *kv, int32_t record);
void lm_kv_checkpoint_keep(lm_kv *kv, int32_t record, int32_t seq, int32_t position);
void lm_kv_checkpoint_drop(lm_kv *kv, int32_t record);
/* The last checkpoint of the sequence's own tokens before position `before`: its position and slot. False when there is none. */
bool lm_kv_checkpoint_before(const lm_kv *kv, int32_t seq, int32_t before, int32_t *position, int32_t *slot);

/* Pages of a group that nothing but the tree holds, and those nothing holds. */
int32_t lm_kv_free_pages(const lm_kv *kv, int32_t group);
int32_t lm_kv_tree_pages(const lm_kv *kv, int32_t group);

#endif
