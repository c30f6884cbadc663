/* SPDX-License-Identifier: MIT
 * The draft block, which looks one token further than the trunk ("DeepSeek-V3", arXiv 2412.19437, section 2.2; "nextn" in files).
 *
 *   token t ─ embed ─ rms (enorm) ─┬ eh_proj ─ a block of the family, with a cache of its own ─ rms (shared_head_norm) ─┬─ head ─ logits
 *   h of token t-1 ─ rms (hnorm) ──┘                                                                                     └─ h of the next step
 *
 * h is the trunk's hidden state after its last norm, zeros before the first token. Everything up to the block's CACHE_STORE runs with
 * the trunk and keeps the cache in step; the rest only where draft logits are wanted. The last h of a sequence is recurrent state: it is
 * kept, copied and rolled back like that of recurrent layers. Embedding, norm and head fall back to the trunk's own. */
#include "arch_build.h"

/* The tensor of the block, or the model's own. */
static int32_t own_or_shared(lm_build *b, const char *own, const char *shared, int64_t ne0, int64_t ne1) {
    int32_t tensor = lm_build_tensor(b, own, ".weight", ne0, ne1, 1, true), layer = b->layer;
    if (tensor >= 0) return tensor;
    b->layer = -1; /* operations keep the block's number: it decides where they run */
    tensor = lm_build_tensor(b, shared, ".weight", ne0, ne1, 1, false);
    b->layer = layer;
    return tensor;
}

bool lm_build_draft_begin(lm_build *b, int32_t *x) {
    lm_graph *g = b->graph;
    int32_t n = b->h->n_layers_all - b->h->n_layers, n_embd = b->h->n_embd;
    if (!(b->options->outputs & LM_ARCH_DRAFT) || g->status != LM_OK) return false;
    if (n != 1)
        lm_graph_fail(g, LM_ERR_UNSUPPORTED,
                      n ? "the model has %d draft blocks, not one" : "the model has no draft block", (int)n);
    lm_build_layer(b, b->h->n_layers);
    int32_t table = own_or_shared(b, "nextn.embed_tokens", "token_embd", n_embd, b->h->n_vocab_in);
    if (g->status != LM_OK) return false;
    g->draft_input = lm_graph_shift(g, b->normed, lm_graph_state_layer(g, n_embd)); /* [tokens, n_embd] */
    g->draft_first = (int32_t)g->ops.count;
    int32_t e = lm_build_rms(b, "nextn.enorm", lm_graph_embed(g, table, 1, LM_EMBED_TOKEN, 0), 0),
            h = lm_build_rms(b, "nextn.hnorm", g->draft_input, 0);
    *x = lm_build_linear(b, "nextn.eh_proj", lm_graph_concat(g, e, n_embd, h, n_embd), n_embd, -1);
    return g->status == LM_OK;
}

void lm_build_draft_end(lm_build *b, int32_t x) {
    lm_graph *g = b->graph;
    for (size_t o = (size_t)g->draft_first; o < g->ops.count; o++)
        if (g->ops.data[o].kind == LM_OP_CACHE_STORE) g->draft_rest = (int32_t)o + 1;
    int32_t norm = own_or_shared(b, "nextn.shared_head_norm", "output_norm", b->h->n_embd, 1);
    const char *shared = "output";
    int32_t layer = b->layer;
    b->layer = -1;
    if (!lm_build_exists(b, shared, ".weight")) shared = "token_embd";
    b->layer = layer;
    int32_t head = own_or_shared(b, "nextn.shared_head_head", shared, b->h->n_embd, b->h->n_vocab);
    if (g->status != LM_OK) return;
    g->draft_hidden = lm_graph_norm(g, LM_NORM_RMS, lm_graph_gather(g, x), norm, -1, b->h->rms_eps, 0);
    g->draft_logits = lm_graph_linear(g, g->draft_hidden, head, -1, -1, -1); /* [outputs, n_vocab] */
}
