/* SPDX-License-Identifier: MIT
 * The registry of model families: one line each. */
#include "arch_build.h"

#include <string.h>

#include "families.h"

static const lm_arch *const families[] = {
    &lm_arch_bert,     &lm_arch_deepseek2,       &lm_arch_gemma3,     &lm_arch_gemma3n,
    &lm_arch_gemma4,   &lm_arch_gemma_embedding, &lm_arch_glm4moe,    &lm_arch_gpt_oss,
    &lm_arch_lfm2,     &lm_arch_lfm2moe,         &lm_arch_llama,      &lm_arch_minimax_m2,
    &lm_arch_mistral3, &lm_arch_mistral4,        &lm_arch_nomic_bert, &lm_arch_nomic_bert_moe,
    &lm_arch_phi3,     &lm_arch_qwen2,           &lm_arch_qwen2moe,   &lm_arch_qwen3,
    &lm_arch_qwen35,   &lm_arch_qwen35moe,       &lm_arch_qwen3moe,   &lm_arch_qwen3next,
};

const lm_arch *lm_arch_find(const char *name, size_t n) {
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (strlen(families[i]->name) == n && memcmp(families[i]->name, name, n) == 0) return families[i];
    return NULL;
}

void lm_arch_build(const lm_arch *arch, const lm_arch_source *source, const lm_hparams *hparams,
                   const lm_arch_options *options, lm_graph *graph) {
    lm_build b = {graph, arch, source, hparams, options, -1, 0, -1};
    arch->build(&b);
    lm_build_check_adapters(&b);
}
