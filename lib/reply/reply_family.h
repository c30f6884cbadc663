/* SPDX-License-Identifier: MIT
 * The families of output syntax, and how one is chosen. */
#ifndef LM_REPLY_FAMILY_H
#define LM_REPLY_FAMILY_H

#include "reply.h"

extern const lm_reply_family lm_family_hermes, lm_family_qwen_xml, lm_family_gemma4, lm_family_llama3,
    lm_family_deepseek, lm_family_kimi, lm_family_harmony, lm_family_mistral, lm_family_plain, lm_family_granite,
    lm_family_cohere, lm_family_apertus, lm_family_nemotron, lm_family_glm, lm_family_seed_oss, lm_family_minimax,
    lm_family_minimax_m3, lm_family_minicpm5, lm_family_functionary, lm_family_functionary32, lm_family_lfm2,
    lm_family_generic;

/* By name; NULL when there is none. */
const lm_reply_family *lm_reply_family_find(const char *name, size_t n);
/* By what a template's text contains; the generic family where nothing is known. *sure: the marks occur nowhere but in
 * templates of this family; else what the template renders tells more. */
const lm_reply_family *lm_reply_family_detect(const char *source, size_t n, bool *sure);

#endif
