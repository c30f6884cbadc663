/* SPDX-License-Identifier: MIT
 * What adapters add to a program: behind a matrix W the two products s B (A x), added to its result, and behind a block a direction
 * added to the hidden state. Pairs that no builder met cannot be applied and fail the build. */
#include <string.h>

#include "../base/format.h"
#include "arch_build.h"

static int32_t find(lm_build *b, const lm_arch_adapter *a, const char *base, const char *half, const lm_tensor **out) {
    char name[160];
    size_t n = lm_format(name, sizeof name, "%s%s", base, half);
    const lm_gguf_tensor *t = n < sizeof name ? lm_gguf_find_tensor(a->gguf, name) : NULL;
    if (!t) return -1;
    size_t index = (size_t)(t - lm_gguf_tensor_at(a->gguf, 0));
    a->used[index] = 1;
    *out = &a->tensors[index];
    return lm_graph_tensor(b->graph, *out);
}

static float scale_of(const lm_arch_adapter *a, const lm_tensor *up) {
    return a->alpha != 0 ? a->scale * a->alpha / (float)up->ne[0] : a->scale;
}

int32_t lm_build_adapted(lm_build *b, const char *base, int32_t x, int32_t y) {
    for (size_t i = 0; i < b->options->n_adapters && b->graph->status == LM_OK; i++) {
        const lm_arch_adapter *a = &b->options->adapters[i];
        const lm_tensor *down, *up;
        int32_t wa = find(b, a, base, ".lora_a", &down), wb = find(b, a, base, ".lora_b", &up);
        if (wa < 0 || wb < 0) continue;
        int32_t t = lm_graph_linear(b->graph, x, wa, -1, -1, -1); /* [tokens, rank] */
        y = lm_graph_linear_add(b->graph, t, wb, scale_of(a, up), y);
    }
    return y;
}

int32_t lm_build_adapted_embedding(lm_build *b, float scale, int32_t y) {
    for (size_t i = 0; i < b->options->n_adapters && b->graph->status == LM_OK; i++) {
        const lm_arch_adapter *a = &b->options->adapters[i];
        const lm_tensor *rows, *up;
        int32_t wa = find(b, a, "token_embd.weight", ".lora_a", &rows),
                wb = find(b, a, "token_embd.weight", ".lora_b", &up);
        if (wa < 0 || wb < 0) continue;
        int32_t t = lm_graph_embed(b->graph, wa, scale, LM_EMBED_TOKEN, 0); /* [tokens, rank] */
        y = lm_graph_linear_add(b->graph, t, wb, scale_of(a, up), y);
    }
    return y;
}

int32_t lm_build_steered(lm_build *b, int32_t x) {
    const float *steer = b->options->steer;
    if (!steer || b->graph->status != LM_OK) return x;
    b->n_steered++;
    const float *direction = steer + (size_t)b->layer * (size_t)b->h->n_embd;
    bool any = false;
    for (int32_t i = 0; i < b->h->n_embd; i++) any |= direction[i] != 0;
    if (!any) return x;
    lm_tensor vector = {.name = "direction",
                        .dtype = LM_DTYPE_F32,
                        .n_dims = 1,
                        .ne = {b->h->n_embd, 1, 1, 1},
                        .data = direction,
                        .bytes = (uint64_t)b->h->n_embd * sizeof(float)};
    return lm_graph_add(b->graph, x, -1, lm_graph_tensor(b->graph, &vector));
}

void lm_build_check_adapters(lm_build *b) {
    if (b->options->steer && b->n_steered != b->h->n_layers)
        lm_graph_fail(b->graph, LM_ERR_UNSUPPORTED, "%s models take no control vector", b->arch->name);
    for (size_t i = 0; i < b->options->n_adapters; i++) {
        const lm_arch_adapter *a = &b->options->adapters[i];
        for (size_t t = 0; t < a->n_tensors; t++) {
            const char *norm = strstr(a->tensors[t].name, "_norm.weight.lora_");
            if (!a->used[t] && !norm)
                lm_graph_fail(b->graph, LM_ERR_UNSUPPORTED, "adapter tensor %s: this matrix cannot be adapted",
                              a->tensors[t].name);
        }
    }
}
