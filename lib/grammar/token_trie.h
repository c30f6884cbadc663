/* SPDX-License-Identifier: MIT
 * A vocabulary prepared for masking. Tokens are split into groups, and each group's tokens lie in a trie: an array of nodes
 * in preorder, so that a walk is one pass that skips the subtrees of rejected nodes.
 *
 * Groups exist to be taken or left whole. Most tokens consist of ordinary characters only, and most states that accept much
 * (the inside of a string) accept all ordinary characters; a state that provably accepts every text of ordinary characters
 * up to a length takes all groups up to that length without a walk. Two kinds of ordinary (words; all that a JSON string may
 * hold unescaped) times five lengths, the rest, and the control tokens. */
#ifndef LM_GRAMMAR_TOKEN_TRIE_H
#define LM_GRAMMAR_TOKEN_TRIE_H

#include <stdatomic.h>
#include <stdbool.h>

#include <lm/grammar.h>

#include "../base/env.h"

#define LM_TOKEN_LENGTHS 5u /* code points up to 2, 4, 8, 16, any */
#define LM_TOKEN_GROUP_WORDS 0u
#define LM_TOKEN_GROUP_SAFE LM_TOKEN_LENGTHS
#define LM_TOKEN_GROUP_REST (2 * LM_TOKEN_LENGTHS)
#define LM_TOKEN_GROUP_CONTROL (2 * LM_TOKEN_LENGTHS + 1)
#define LM_TOKEN_GROUPS (2 * LM_TOKEN_LENGTHS + 2)

typedef struct lm_token_node {
    uint32_t skip;  /* the node after its subtree */
    uint32_t first; /* in order: the first token of its subtree; its own come first */
    uint16_t depth; /* 1 for the first byte */
    uint16_t own;   /* tokens that end here */
    uint8_t byte;
} lm_token_node;

typedef struct lm_token_group {
    uint32_t nodes, n_nodes;  /* nodes[nodes + n_nodes] is a sentinel whose first ends the last subtree */
    uint32_t first, n_tokens; /* in order */
    uint32_t code_points;     /* the most any of its tokens has */
    uint32_t *bits;           /* [n_words] its tokens; NULL for the rest and for control tokens */
} lm_token_group;

struct lm_grammar_vocab {
    atomic_size_t references;
    lm_env env;
    uint32_t n_tokens, n_words; /* n_words: of a mask */
    size_t cache_bytes;
    uint8_t *kinds;    /* [n_tokens] lm_grammar_token_kind */
    uint32_t *offsets; /* [n_tokens + 1] into bytes */
    uint8_t *bytes;
    size_t n_bytes, bytes_capacity;
    uint32_t *order; /* [n_order] tokens, group by group, sorted by their bytes */
    uint32_t n_order;
    lm_token_node *nodes;
    size_t n_nodes, nodes_capacity;
    uint32_t *ends; /* [n_ends] END tokens */
    uint32_t n_ends;
    uint32_t max_bytes, max_code_points; /* of one token */
    lm_token_group groups[LM_TOKEN_GROUPS];
};

static inline const uint8_t *lm_grammar_vocab_bytes(const lm_grammar_vocab *vocab, uint32_t token, uint32_t *n) {
    *n = vocab->offsets[token + 1] - vocab->offsets[token];
    return vocab->bytes + vocab->offsets[token];
}

lm_status lm_token_trie_create(const lm_grammar_vocab_params *params, lm_grammar_vocab **out, lm_error *error);
void lm_token_trie_release(lm_grammar_vocab *vocab);

/* Is the ASCII character an ordinary one of the kind (0 words, 1 safe)? Characters beyond ASCII always are. */
static inline bool lm_token_is_ordinary(uint8_t c, unsigned kind) {
    if (kind == 1) return c >= 0x20 && c != '"' && c != '\\' && c != 0x7F;
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ' || c == '_' ||
           c == '-';
}

#endif
