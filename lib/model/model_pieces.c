/* SPDX-License-Identifier: MIT
 * The bytes every token stands for, laid out once per model when something first asks: samplers that look at texts and grammars do,
 * plain generation does not. Built by whoever comes first; a second builder throws its copy away. */
#include "model_pieces.h"

#include "model.h"

struct lm_pieces {
    size_t n_tokens, n_bytes;
    uint32_t *starts; /* [n_tokens + 1] offsets into bytes */
    char *bytes;
};

static void pieces_free(const lm_env *env, lm_pieces *p) {
    if (!p) return;
    lm_free(env, p->starts, (p->n_tokens + 1) * sizeof *p->starts);
    lm_free(env, p->bytes, p->n_bytes);
    lm_free(env, p, sizeof *p);
}

static lm_pieces *pieces_build(const lm_model *model) {
    const lm_env *env = model->env;
    lm_pieces *p = lm_alloc_zeroed(env, sizeof *p);
    if (!p) return NULL;
    p->n_tokens = lm_vocab_count(model->vocab);
    p->starts = lm_alloc_array(env, p->n_tokens + 1, sizeof *p->starts);
    for (size_t i = 0; i < p->n_tokens; i++)
        p->n_bytes += lm_vocab_piece(model->vocab, (lm_token)i, LM_DETOKENIZE_SPECIAL, NULL, 0);
    p->bytes = p->n_bytes < UINT32_MAX ? lm_alloc(env, p->n_bytes) : NULL;
    if (!p->starts || !p->bytes) {
        pieces_free(env, p);
        return NULL;
    }
    size_t at = 0;
    for (size_t i = 0; i < p->n_tokens; i++) {
        p->starts[i] = (uint32_t)at;
        at += lm_vocab_piece(model->vocab, (lm_token)i, LM_DETOKENIZE_SPECIAL, p->bytes + at, p->n_bytes - at);
    }
    p->starts[p->n_tokens] = (uint32_t)at;
    return p;
}

const lm_pieces *lm_model_pieces(lm_model *model) {
    lm_pieces *known = atomic_load_explicit(&model->pieces, memory_order_acquire);
    if (known) return known;
    lm_pieces *built = pieces_build(model);
    if (!built) return NULL;
    if (atomic_compare_exchange_strong(&model->pieces, &known, built)) return built;
    pieces_free(model->env, built);
    return known;
}

const char *lm_pieces_get(const lm_pieces *pieces, lm_token token, size_t *size) {
    if (token < 0 || (size_t)token >= pieces->n_tokens) {
        *size = 0;
        return "";
    }
    *size = pieces->starts[token + 1] - pieces->starts[token];
    return pieces->bytes + pieces->starts[token];
}

void lm_model_pieces_free(lm_model *model) { pieces_free(model->env, atomic_load(&model->pieces)); }
