/* SPDX-License-Identifier: MIT
 * The macros of the headers as functions. */
#include "clm_values.h"

lm_runtime_params clm_runtime_params(void) { return (lm_runtime_params)LM_RUNTIME_PARAMS_INIT; }
lm_model_params clm_model_params(void) { return (lm_model_params)LM_MODEL_PARAMS_INIT; }
lm_context_params clm_context_params(void) { return (lm_context_params)LM_CONTEXT_PARAMS_INIT; }
lm_plan_params clm_plan_params(void) { return (lm_plan_params)LM_PLAN_PARAMS_INIT; }
lm_sampler_params clm_sampler_params(void) { return (lm_sampler_params)LM_SAMPLER_PARAMS_INIT; }
lm_sampler_vocab clm_sampler_vocab(void) { return (lm_sampler_vocab)LM_SAMPLER_VOCAB_INIT; }
lm_grammar_params clm_grammar_params(void) { return (lm_grammar_params)LM_GRAMMAR_PARAMS_INIT; }
lm_grammar_vocab_params clm_grammar_vocab_params(void) { return (lm_grammar_vocab_params)LM_GRAMMAR_VOCAB_PARAMS_INIT; }
lm_chat_params clm_chat_params(void) { return (lm_chat_params)LM_CHAT_PARAMS_INIT; }
lm_chat_prompt clm_chat_prompt(void) { return (lm_chat_prompt)LM_CHAT_PROMPT_INIT; }
lm_chat_request clm_chat_request(void) { return (lm_chat_request)LM_CHAT_REQUEST_INIT; }
lm_chat_report clm_chat_report(void) { return (lm_chat_report)LM_CHAT_REPORT_INIT; }
lm_speculator_params clm_speculator_params(void) { return (lm_speculator_params)LM_SPECULATOR_PARAMS_INIT; }

lm_grammar_matcher_params clm_grammar_matcher_params(void) {
    return (lm_grammar_matcher_params)LM_GRAMMAR_MATCHER_PARAMS_INIT;
}

lm_chat_render_params clm_chat_render_params(void) { return (lm_chat_render_params)LM_CHAT_RENDER_PARAMS_INIT; }

lm_chat_parser_params clm_chat_parser_params(void) { return (lm_chat_parser_params)LM_CHAT_PARSER_PARAMS_INIT; }

lm_chat_session_params clm_chat_session_params(void) { return (lm_chat_session_params)LM_CHAT_SESSION_PARAMS_INIT; }

const char *clm_error_message(const lm_error *error) { return error->message; }

uint32_t clm_seed_random(void) { return LM_SEED_RANDOM; }
uint32_t clm_chat_render_adapt(void) { return LM_CHAT_RENDER_ADAPT; }
uint32_t clm_chat_span_caller(void) { return LM_CHAT_SPAN_CALLER; }
