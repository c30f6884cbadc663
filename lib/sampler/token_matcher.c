/* SPDX-License-Identifier: MIT
 * Aho-Corasick over tokens: a trie of the sequences, and for each state the longest proper suffix that is in the trie. */
#include "token_matcher.h"

#include <string.h>

size_t lm_token_matcher_count(const lm_token_span *spans, size_t n_spans) {
    size_t n = 1;
    for (size_t i = 0; i < n_spans; i++) n += spans[i].count;
    return n;
}

static uint32_t child_of(const lm_token_matcher_state *states, uint32_t state, lm_token token) {
    uint32_t child = states[state].first_child;
    while (child && states[child].token != token) child = states[child].next_sibling;
    return child;
}

static uint32_t follow(const lm_token_matcher_state *states, uint32_t state, lm_token token) {
    for (;;) {
        uint32_t child = child_of(states, state, token);
        if (child || state == 0) return child;
        state = states[state].fallback;
    }
}

void lm_token_matcher_build(lm_token_matcher_state *states, const lm_token_span *spans, size_t n_spans) {
    uint32_t n = 1, longest = 0;
    memset(&states[0], 0, sizeof states[0]);
    for (size_t i = 0; i < n_spans; i++) {
        uint32_t at = 0;
        for (size_t j = 0; j < spans[i].count; j++) {
            uint32_t child = child_of(states, at, spans[i].tokens[j]);
            if (!child) {
                child = n++;
                states[child] = (lm_token_matcher_state){spans[i].tokens[j], at, 0, states[at].first_child, 0, 0};
                states[at].first_child = child;
            }
            at = child;
        }
        if (at) states[at].match = (uint32_t)spans[i].count;
        if (spans[i].count > longest) longest = (uint32_t)spans[i].count;
    }
    /* Fallbacks by depth: walk every sequence to depth d; the states before it are finished. Sequences are few and short. */
    for (uint32_t depth = 2; depth <= longest; depth++) {
        for (size_t i = 0; i < n_spans; i++) {
            if (spans[i].count < depth) continue;
            uint32_t parent = 0;
            for (uint32_t j = 0; j + 1 < depth; j++) parent = child_of(states, parent, spans[i].tokens[j]);
            uint32_t at = child_of(states, parent, spans[i].tokens[depth - 1]);
            uint32_t fallback = follow(states, states[parent].fallback, spans[i].tokens[depth - 1]);
            states[at].fallback = fallback;
            if (!states[at].match) states[at].match = states[fallback].match;
        }
    }
}

uint32_t lm_token_matcher_step(const lm_token_matcher_state *states, uint32_t *state, lm_token token) {
    *state = follow(states, *state, token);
    return states[*state].match;
}

lm_token lm_token_matcher_token(const lm_token_matcher_state *states, uint32_t state, size_t n, size_t i) {
    for (size_t up = n - 1 - i; up > 0; up--) state = states[state].parent;
    return states[state].token;
}
