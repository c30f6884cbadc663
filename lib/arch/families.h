/* SPDX-License-Identifier: MIT
 * The families the registry lists, with public models of each (tests/docs/make_models_page.py prints them). */
#ifndef LM_ARCH_FAMILIES_H
#define LM_ARCH_FAMILIES_H

#include "arch.h"

extern const lm_arch lm_arch_bert;      /* BERT, BGE, E5, all-MiniLM, rerankers with a classifier */
extern const lm_arch lm_arch_deepseek2; /* DeepSeek V2 to V3.1, R1; Kimi K2, K2.5 (text); Moonlight; GLM-4.7-Flash */
extern const lm_arch lm_arch_gemma3;    /* Gemma 3 270M to 27B (text) */
extern const lm_arch lm_arch_gemma3n;   /* Gemma 3n E2B, E4B (text) */
extern const lm_arch lm_arch_gemma4;    /* Gemma 4 E2B, E4B, 12B, 26B-A4B, 31B (text) */
extern const lm_arch lm_arch_gemma_embedding; /* EmbeddingGemma 300M */
extern const lm_arch lm_arch_glm4moe;         /* GLM-4.5, 4.5-Air, 4.6 */
extern const lm_arch lm_arch_gpt_oss;         /* gpt-oss 20B, 120B */
extern const lm_arch lm_arch_lfm2;            /* LFM2 350M to 2.6B */
extern const lm_arch lm_arch_lfm2moe;         /* LFM2 8B-A1B */
extern const lm_arch lm_arch_llama;           /* Llama 1 to 3.3, Mistral, Mixtral, TinyLlama, SmolLM */
extern const lm_arch lm_arch_minimax_m2;      /* MiniMax-M2 */
extern const lm_arch lm_arch_mistral3;        /* Ministral 3, Mistral Small 3 */
extern const lm_arch lm_arch_mistral4;        /* Mistral 4 */
extern const lm_arch lm_arch_nomic_bert;      /* nomic-embed-text v1, v1.5 */
extern const lm_arch lm_arch_nomic_bert_moe;  /* nomic-embed-text v2 MoE */
extern const lm_arch lm_arch_phi3;            /* Phi-3, Phi-3.5, Phi-4, Phi-4-mini */
extern const lm_arch lm_arch_qwen2;           /* Qwen 1.5, 2, 2.5, QwQ, DeepSeek-R1 distillations */
extern const lm_arch lm_arch_qwen2moe;        /* Qwen 1.5 MoE, Qwen2 57B-A14B */
extern const lm_arch lm_arch_qwen3;           /* Qwen3 0.6B to 32B, Qwen3 Embedding and Reranker */
extern const lm_arch lm_arch_qwen35;          /* Qwen3.5 0.8B to 27B, Qwen3.6 27B (text) */
extern const lm_arch lm_arch_qwen35moe;       /* Qwen3.5 35B-A3B, 122B-A10B, 397B-A17B; Qwen3.6 35B-A3B (text) */
extern const lm_arch lm_arch_qwen3moe;        /* Qwen3 30B-A3B, 235B-A22B, Qwen3-Coder */
extern const lm_arch lm_arch_qwen3next;       /* Qwen3-Next 80B-A3B, Qwen3-Coder-Next */

#endif
