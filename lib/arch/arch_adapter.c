/* SPDX-License-Identifier: MIT
 * What adapters add to a program: behind a matrix W the two products s B (A x), added to its result, and behind a block a direction
 * added to the hidden state. Pairs of a matrix that the program reads and no builder adapts fail the build. */
#include <string.h>

#include "../base/format.h"
#include "arch_build.h"

static int32_t find(lm_build *b, const lm_arch_adapter *a, const char *name, const char *half, const lm_tensor **out) {
    char full[LM_BUILD_NAME_SIZE];
    const lm_gguf_tensor *t = lm_gguf_find_tensor(a->gguf, lm_build_name(b, name, half, full));
    if (!t) return -1;
    size_t index = (size_t)(t - lm_gguf_tensor_at(a->gguf, 0));
    a->used[index] = 1;
    *out = &a->tensors[index];
    return lm_graph_tensor(b->graph, *out);
}

/* A and B of one matrix, and s */
typedef struct pair {
    const lm_tensor *a, *b;
    int32_t down, up;
    float scale;
} pair;

/* The next pair for matrix `name`, of adapter *i or a later one; *i is then behind it. */
static bool next_pair(lm_build *b, const char *name, size_t *i, pair *p) {
    while (*i < b->options->n_adapters && b->graph->status == LM_OK) {
        const lm_arch_adapter *a = &b->options->adapters[(*i)++];
        p->down = find(b, a, name, ".weight.lora_a", &p->a);
        p->up = find(b, a, name, ".weight.lora_b", &p->b);
        if (p->down < 0 || p->up < 0) continue;
        p->scale = a->alpha != 0 ? a->scale * a->alpha / (float)p->b->ne[0] : a->scale;
        return true;
    }
    return false;
}

static bool is_adapted(const lm_build *b, const char *name) {
    char full[LM_BUILD_NAME_SIZE];
    lm_build_name(b, name, ".weight.lora_a", full);
    for (size_t i = 0; i < b->options->n_adapters; i++)
        if (lm_gguf_find_tensor(b->options->adapters[i].gguf, full)) return true;
    return false;
}

int32_t lm_build_adapted(lm_build *b, const char *name, int32_t x, int32_t y) {
    pair p;
    for (size_t i = 0; next_pair(b, name, &i, &p);) {
        int32_t t = lm_graph_linear(b->graph, x, p.down, -1, -1, -1); /* [tokens, rank] */
        y = lm_graph_linear_add(b->graph, t, p.up, p.scale, y);
    }
    return y;
}

int32_t lm_build_adapted_embedding(lm_build *b, float scale, int32_t y) {
    pair p;
    for (size_t i = 0; next_pair(b, "token_embd", &i, &p);) {
        int32_t t = lm_graph_embed(b->graph, p.down, scale, LM_EMBED_TOKEN, 0); /* [tokens, rank] */
        y = lm_graph_linear_add(b->graph, t, p.up, p.scale, y);
    }
    return y;
}

/* Per head s B (A x). Where A is not per head, the heads share it; a transposed matrix has the transposed pair, B first. */
int32_t lm_build_adapted_heads(lm_build *b, const char *name, int32_t x, const lm_graph_heads *heads, int32_t y) {
    pair p;
    for (size_t i = 0; next_pair(b, name, &i, &p);) {
        int32_t rank = (int32_t)p.b->ne[0], first = p.down, second = p.up;
        lm_graph_heads in = *heads, out = *heads;
        in.n_out = out.n_in = rank;
        if (heads->transposed) {
            first = p.up, second = p.down;
            out.stride = out.first = 0;
        } else {
            in.stride = p.a->ne[2] > 1 ? rank : 0;
            in.first = 0;
        }
        int32_t t = lm_graph_head_linear(b->graph, lm_graph_head_linear(b->graph, x, first, &in), second, &out);
        y = lm_graph_add(b->graph, y, lm_graph_scale(b->graph, t, -1, p.scale), -1);
    }
    return y;
}

/* Per chosen expert W x, and what is added to it; or, with weights, the weighted sum. */
static int32_t expert(lm_build *b, const char *name, const lm_graph_matrix *w, int32_t x, int32_t ids, int32_t weights,
                      int32_t residual) {
    lm_graph *g = b->graph;
    pair p;
    int32_t y = lm_graph_expert_linear(g, x, ids, weights, w, 1, residual);
    for (size_t i = 0; next_pair(b, name, &i, &p);) {
        lm_graph_matrix down = {p.down, -1, -1}, up = {p.up, -1, -1};
        int32_t t = lm_graph_expert_linear(g, x, ids, -1, &down, 1, -1); /* [tokens, n_used * rank] */
        y = lm_graph_expert_linear(g, t, ids, weights, &up, p.scale, y);
    }
    return y;
}

int32_t lm_build_experts_of(lm_build *b, const lm_build_moe_params *p, const lm_graph_experts_weights *w, int32_t x,
                            int32_t ids, int32_t weights, int32_t residual) {
    lm_graph *g = b->graph;
    bool fused = w->up < 0 && !w->ungated;
    const char *first = fused ? "ffn_gate_up_exps" : w->ungated ? "ffn_up_exps" : "ffn_gate_exps";
    if (!is_adapted(b, first) && !is_adapted(b, "ffn_up_exps") && !is_adapted(b, "ffn_down_exps"))
        return lm_graph_experts(g, x, ids, weights, w, p->act, p->width, residual);
    lm_graph_matrix gate = {w->gate, w->gate_bias, w->gate_scale}, up = {w->up, w->up_bias, w->up_scale},
                    down = {w->down, w->down_bias, w->down_scale};
    int32_t hidden = expert(b, first, &gate, x, ids, -1, -1), u = -1; /* [tokens, n_used * width], or twice that */
    if (fused) {
        u = lm_graph_slice(g, hidden, 2 * p->width, p->width, p->width);
        hidden = lm_graph_slice(g, hidden, 2 * p->width, 0, p->width);
    } else if (!w->ungated) {
        u = expert(b, "ffn_up_exps", &up, x, ids, -1, -1);
    }
    hidden = w->ungated ? lm_graph_act(g, p->act, hidden) : lm_graph_glu(g, p->act, hidden, u, -1);
    return expert(b, "ffn_down_exps", &down, hidden, ids, weights, residual);
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
    int32_t n_streams = lm_graph_width(b->graph, x) / b->h->n_embd, tensor = lm_graph_tensor(b->graph, &vector);
    if (n_streams < 2) return lm_graph_add(b->graph, x, -1, tensor);
    tensor = lm_graph_embed(b->graph, tensor, 1, LM_EMBED_CONSTANT, 0); /* [tokens, n_embd] */
    return lm_graph_spread(b->graph, tensor, -1, x, n_streams);
}

/* Whether the program has this weight: it lacks draft blocks nobody asked for, and keys of blocks that share others'. */
static bool is_read(const lm_build *b, const char *name, size_t n) {
    for (size_t i = 0; i < b->graph->tensors.count; i++) {
        const char *read = b->graph->tensors.data[i].name;
        if (strncmp(read, name, n) == 0 && read[n] == '\0') return true;
    }
    return false;
}

void lm_build_check_adapters(lm_build *b) {
    if (b->options->steer && b->n_steered != b->h->n_layers)
        lm_graph_fail(b->graph, LM_ERR_UNSUPPORTED, "%s models take no control vector", b->arch->name);
    for (size_t i = 0; i < b->options->n_adapters; i++) {
        const lm_arch_adapter *a = &b->options->adapters[i];
        for (size_t t = 0; t < a->n_tensors; t++) {
            const char *name = a->tensors[t].name;
            if (!a->used[t] && !strstr(name, "_norm.weight.lora_") &&
                is_read(b, name, strlen(name) - strlen(".lora_a")))
                lm_graph_fail(b->graph, LM_ERR_UNSUPPORTED, "adapter tensor %s: this matrix cannot be adapted", name);
        }
    }
}
