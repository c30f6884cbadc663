/* SPDX-License-Identifier: MIT
 * The inside of the kv room: pools of pages, the tree, and the sequences over them. */
#ifndef LM_KV_KV_INTERNAL_H
#define LM_KV_KV_INTERNAL_H

#include "kv.h"

#define LM_KV_ROOT (-1)      /* parent of the first pages */
#define LM_KV_UNTRACKED (-2) /* a sequence whose last finished page found no room in the tree */

typedef struct lm_kv_pool {
    int32_t n_pages, n_free;
    int32_t *refs; /* [n_pages] */
    int32_t *free; /* [n_free] used as a stack */
} lm_kv_pool;

typedef struct lm_kv_node {
    int32_t parent, child, next, previous; /* children are a doubly linked list; -1 ends */
    int32_t depth;                         /* number of the page in its sequence */
    int32_t live;                          /* 0: in the free list, linked by next */
    uint64_t origin;                       /* whose tree it is in: 0, or the restored sequence's own */
    uint64_t used;                         /* clock of the last use */
    uint64_t guard;                  /* scratch of eviction: last use of the newest checkpoint that wants the page */
    int32_t pages[LM_KV_MAX_GROUPS]; /* -1: given up (windowed groups only) */
    lm_token tokens[LM_KV_PAGE];
} lm_kv_node;

enum { LM_KV_CHECKPOINT_FREE = 0, LM_KV_CHECKPOINT_TAKEN = 1, LM_KV_CHECKPOINT_KEPT = 2 };

typedef struct lm_kv_checkpoint {
    int32_t stage;
    int32_t node, position;      /* node of the last full page before position: LM_KV_ROOT or a node */
    uint64_t origin;             /* of the tree */
    uint64_t used;               /* clock of the last use */
    lm_token tokens[LM_KV_PAGE]; /* the position % LM_KV_PAGE after the node's */
} lm_kv_checkpoint;

typedef struct lm_kv_seq {
    int32_t n, reserved; /* tokens; positions that have pages beyond n */
    int32_t owed;        /* tokens after n that are to be evaluated again */
    int32_t node;        /* of the last finished page: LM_KV_ROOT, LM_KV_UNTRACKED or a node */
    uint64_t origin;     /* of the tree its pages are in */
    int32_t state;
    bool state_known;                 /* the slot holds the state of position n */
    lm_token *tokens;                 /* [n_positions] */
    int32_t *pages[LM_KV_MAX_GROUPS]; /* [max_pages] each; -1 where no page is held */
} lm_kv_seq;

struct lm_kv {
    const lm_env *env;
    lm_kv_params params;
    lm_kv_mover mover;
    int32_t max_pages; /* of a sequence */
    lm_kv_pool pools[LM_KV_MAX_GROUPS];
    lm_kv_node *nodes;
    int32_t n_nodes, free_node, first; /* first: child list of the root */
    uint64_t clock;
    uint64_t n_origins;            /* sequences restored so far */
    lm_kv_checkpoint *checkpoints; /* [n_checkpoints]; record i owns state slot n_seqs + 1 + i */
    int32_t spare;                 /* state slot, -1 */
    lm_kv_seq *seqs;
    char *memory;
    size_t memory_bytes;
};

/* A page nobody else holds, evicting from the tree if needed; -1 when there is none. */
int32_t lm_kv_page_take(lm_kv *kv, int32_t group);
void lm_kv_page_hold(lm_kv *kv, int32_t group, int32_t page);
void lm_kv_page_drop(lm_kv *kv, int32_t group, int32_t page);

/* Trees of several origins share their nodes' storage; origin tells which tree a parent of LM_KV_ROOT means. */

/* The child of parent with these 64 tokens, or -1. */
int32_t lm_kv_tree_find(const lm_kv *kv, uint64_t origin, int32_t parent, const lm_token *tokens);
/* The child of parent that shares most leading tokens with tokens[0, n), n < LM_KV_PAGE allowed; *common receives how many. */
int32_t lm_kv_tree_nearest(const lm_kv *kv, uint64_t origin, int32_t parent, const lm_token *tokens, int32_t n,
                           int32_t *common);
/* A new child holding references to pages (-1 allowed in windowed groups); -1 when no node can be had. */
int32_t lm_kv_tree_add(lm_kv *kv, uint64_t origin, int32_t parent, const lm_token *tokens, const int32_t *pages);
void lm_kv_tree_touch(lm_kv *kv, int32_t node);
/* Give up the least recently used page of the group that only the tree holds: false when there is none. */
bool lm_kv_tree_evict(lm_kv *kv, int32_t group);
/* Checkpoints under a node that goes away, or whose window lost this node's page of a group, are free again. */
void lm_kv_checkpoints_forget_node(lm_kv *kv, int32_t node);
void lm_kv_checkpoints_forget_page(lm_kv *kv, int32_t node, int32_t group);
/* Set every node's guard for a windowed group. */
void lm_kv_checkpoints_guard(lm_kv *kv, int32_t group);
/* Give up the pages from position n on; n is what the sequence holds then. */
void lm_kv_drop_pages(lm_kv *kv, lm_kv_seq *seq, int32_t n);
/* Whether the sequence itself holds the window pages that going on at position n needs. */
bool lm_kv_window_is_here(const lm_kv *kv, const lm_kv_seq *seq, int32_t n);

/* First page index a sequence of n tokens still needs in a group, when it goes on at position n. */
static inline int32_t lm_kv_first_page(const lm_kv *kv, int32_t group, int32_t n) {
    int32_t window = kv->params.windows[group];
    int32_t oldest = window > 0 && n - window + 1 > 0 ? n - window + 1 : 0;
    return oldest / LM_KV_PAGE;
}

static inline int32_t lm_kv_page_count(int32_t n) { return (n + LM_KV_PAGE - 1) / LM_KV_PAGE; }

#endif
