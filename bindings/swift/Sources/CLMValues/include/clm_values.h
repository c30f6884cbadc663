/* SPDX-License-Identifier: MIT */
/**
 * What Swift cannot import from the headers of liblm: the initialisers of parameter structs and the arrays inside structs. Defaults stay
 * written in one place, the headers.
 */
#ifndef CLM_VALUES_H
#define CLM_VALUES_H

#include <lm/lm.h>

lm_runtime_params clm_runtime_params(void);
lm_model_params clm_model_params(void);
lm_context_params clm_context_params(void);
lm_plan_params clm_plan_params(void);
lm_sampler_params clm_sampler_params(void);
lm_sampler_vocab clm_sampler_vocab(void);
lm_grammar_params clm_grammar_params(void);
lm_grammar_vocab_params clm_grammar_vocab_params(void);
lm_grammar_matcher_params clm_grammar_matcher_params(void);
lm_chat_params clm_chat_params(void);
lm_chat_render_params clm_chat_render_params(void);
lm_chat_prompt clm_chat_prompt(void);
lm_chat_parser_params clm_chat_parser_params(void);
lm_chat_session_params clm_chat_session_params(void);
lm_chat_request clm_chat_request(void);
lm_chat_report clm_chat_report(void);
lm_speculator_params clm_speculator_params(void);

/** The sentence of an error, borrowed from it. */
const char *clm_error_message(const lm_error *error);

/** LM_SEED_RANDOM, LM_CHAT_RENDER_ADAPT, LM_CHAT_SPAN_CALLER. */
uint32_t clm_seed_random(void);
uint32_t clm_chat_render_adapt(void);
uint32_t clm_chat_span_caller(void);

#endif
