/* SPDX-License-Identifier: MIT
 * Every choice of lm_sampler_params as an option. */
#ifndef LM_PROGRAM_GEN_OPTIONS_H
#define LM_PROGRAM_GEN_OPTIONS_H

#include "program.h"

#define SAMPLER_MAX_BIASES 256
#define SAMPLER_MAX_BREAKERS 64
#define SAMPLER_OPTIONS 40 /* rows of the table at most */

/* What the options fill; it must stay where it is, since params points into it. */
typedef struct sampler_options {
    const char *command_name; /* in messages */
    lm_sampler_params params;
    lm_logit_bias biases[SAMPLER_MAX_BIASES];
    const char *breakers[SAMPLER_MAX_BREAKERS];
    bool ignore_eos, probs_after;
    const char *reasoning_start, *reasoning_end, *reasoning_message; /* texts */
    token_list start, end, message;                                  /* their tokens */
    lm_token_span ends[1];
} sampler_options;

/* Defaults, and the rows of the table; returns how many were written. */
size_t sampler_options_init(sampler_options *options, const char *command_name, option *table);
/* What the model's file recommends, before the command line is read over it. */
void sampler_options_recommend(sampler_options *options, const lm_model *model);
/* The sampler; 0 or the exit status after a message. */
int sampler_options_finish(sampler_options *options, lm_model *model, lm_sampler **out);
void sampler_options_free(sampler_options *options);

#endif
