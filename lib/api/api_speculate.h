/* SPDX-License-Identifier: MIT
 * The inside of a speculator, shared by its loop and its drafters. */
#ifndef LM_API_API_SPECULATE_H
#define LM_API_API_SPECULATE_H

#include <lm/speculate.h>

#include "../base/env.h"

struct lm_speculator {
    const lm_env *env;
    lm_context *context;
    lm_speculator_params params; /* complete */
    const lm_model *model;
    lm_token pending;   /* chosen and not evaluated */
    int32_t pending_at; /* its position: the sequence's length while it is valid, else -1 */
    int32_t draft_length;
    int32_t trial;       /* rounds since proposing was taken up */
    int32_t plain_left;  /* plain steps before the next trial */
    int32_t pause;       /* of the next one */
    int32_t since_plain; /* rounds since a plain step was measured */
    double plain_ns;     /* of a plain step */
    double round_ns, round_tokens;
    lm_speculator_stats stats;
    lm_token *tokens; /* [n_draft + 1]: the pending token, then proposals */
};

/* Propose at most n tokens to follow the sequence and the pending token; returns how many. */
int32_t lm_speculator_draft(lm_speculator *speculator, int32_t n, lm_token *out);
/* How many are worth proposing in the next round, at most room; 0: a plain step. And what the round has shown, in ns of any clock. */
int32_t lm_speculator_wanted(lm_speculator *speculator, size_t room);
void lm_speculator_measure(lm_speculator *speculator, int32_t n_drafted, int32_t n_accepted, double ns);

#endif
