/* SPDX-License-Identifier: MIT
 * The families the registry lists. */
#ifndef LM_ARCH_FAMILIES_H
#define LM_ARCH_FAMILIES_H

#include "arch.h"

extern const lm_arch lm_arch_bert;
extern const lm_arch lm_arch_deepseek2;
extern const lm_arch lm_arch_gemma3;
extern const lm_arch lm_arch_gemma3n;
extern const lm_arch lm_arch_gemma4;
extern const lm_arch lm_arch_gemma_embedding;
extern const lm_arch lm_arch_glm4moe;
extern const lm_arch lm_arch_gpt_oss;
extern const lm_arch lm_arch_lfm2;
extern const lm_arch lm_arch_lfm2moe;
extern const lm_arch lm_arch_llama;
extern const lm_arch lm_arch_minimax_m2;
extern const lm_arch lm_arch_mistral3;
extern const lm_arch lm_arch_mistral4;
extern const lm_arch lm_arch_nomic_bert;
extern const lm_arch lm_arch_nomic_bert_moe;
extern const lm_arch lm_arch_phi3;
extern const lm_arch lm_arch_qwen2;
extern const lm_arch lm_arch_qwen2moe;
extern const lm_arch lm_arch_qwen3;
extern const lm_arch lm_arch_qwen35;
extern const lm_arch lm_arch_qwen35moe;
extern const lm_arch lm_arch_qwen3moe;
extern const lm_arch lm_arch_qwen3next;

#endif
