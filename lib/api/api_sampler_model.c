/* SPDX-License-Identifier: MIT
 * A sampler over a model's vocabulary, with the defaults its file recommends. */
#include <lm/sampler.h>

#include <string.h>

#include "../base/format.h"
#include "../model/model.h"

static const char *piece(void *user, lm_token token, int32_t special, size_t *length) {
    lm_model *model = user;
    const lm_pieces *pieces = lm_model_pieces(model);
    bool hidden = !special && (lm_vocab_attributes(model->vocab, token) &
                               (LM_TOKEN_ATTRIBUTE_CONTROL | LM_TOKEN_ATTRIBUTE_UNKNOWN));
    if (!pieces || hidden) {
        *length = 0;
        return "";
    }
    return lm_pieces_get(pieces, token, length);
}

static int32_t tokenize(void *user, const char *text, size_t length, lm_token *out, size_t capacity) {
    return lm_tokenize(user, text, length, 0, out, capacity);
}

static int32_t is_eog(void *user, lm_token token) { return lm_vocab_is_end(((lm_model *)user)->vocab, token); }

static void recommend_int(const lm_gguf *gguf, const char *key, int32_t *out) {
    lm_gguf_get_i32(gguf, key, out, NULL); /* a missing or misshapen recommendation leaves the default */
}

static void recommend_float(const lm_gguf *gguf, const char *key, float *out) {
    float value;
    if (lm_gguf_get_f32(gguf, key, &value, NULL) == LM_OK && value - value == 0) *out = value;
}

static void recommendations(const lm_gguf *gguf, lm_sampler_params *p) {
    recommend_int(gguf, "general.sampling.top_k", &p->top_k);
    recommend_float(gguf, "general.sampling.top_p", &p->top_p);
    recommend_float(gguf, "general.sampling.min_p", &p->min_p);
    recommend_float(gguf, "general.sampling.xtc_probability", &p->xtc_probability);
    recommend_float(gguf, "general.sampling.xtc_threshold", &p->xtc_threshold);
    recommend_float(gguf, "general.sampling.temp", &p->temperature);
    recommend_int(gguf, "general.sampling.penalty_last_n", &p->repeat_last_n);
    recommend_float(gguf, "general.sampling.penalty_repeat", &p->repeat_penalty);
    recommend_int(gguf, "general.sampling.mirostat", &p->mirostat);
    recommend_float(gguf, "general.sampling.mirostat_tau", &p->mirostat_tau);
    recommend_float(gguf, "general.sampling.mirostat_eta", &p->mirostat_eta);
}

lm_status lm_sampler_for_model(lm_model *model, const lm_sampler_params *params, lm_sampler **out, lm_error *error) {
    if (!model) return lm_error_set(error, LM_ERR_ARGUMENT, "lm_sampler_for_model: model is NULL");
    lm_sampler_params own = LM_SAMPLER_PARAMS_INIT;
    lm_sampler_vocab vocab = LM_SAMPLER_VOCAB_INIT;
    char order[256];
    lm_gguf_str sequence;
    vocab.n_vocab = model->hparams.n_vocab;
    vocab.eot = lm_vocab_role(model->vocab, LM_TOKEN_ROLE_EOT);
    vocab.eos = lm_vocab_role(model->vocab, LM_TOKEN_ROLE_EOS);
    vocab.suppressed = lm_vocab_suppressed(model->vocab, &vocab.n_suppressed);
    vocab.user = model;
    vocab.piece = piece;
    vocab.tokenize = tokenize;
    vocab.is_eog = is_eog;
    if (!params) {
        recommendations(model->gguf, &own);
        own.allocator = model->env->allocator;
        if (lm_gguf_find(model->gguf, "general.sampling.sequence") &&
            lm_gguf_get_string(model->gguf, "general.sampling.sequence", &sequence, NULL) == LM_OK &&
            sequence.size < sizeof order) {
            memcpy(order, sequence.data, sequence.size);
            order[sequence.size] = '\0';
            own.order = order;
        }
    }
    return lm_sampler_create(params ? params : &own, &vocab, out, error);
}
