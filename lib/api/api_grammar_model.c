/* SPDX-License-Identifier: MIT
 * A grammar's vocabulary from a model: the bytes of all tokens, and which of them are no text. */
#include <lm/grammar.h>

#include "../base/format.h"
#include "../model/model.h"

typedef struct source {
    lm_model *model;
    const lm_pieces *pieces;
} source;

static int32_t get(void *user, lm_token token, const char **bytes, size_t *n) {
    const source *from = user;
    uint32_t attributes = lm_vocab_attributes(from->model->vocab, token);
    *bytes = lm_pieces_get(from->pieces, token, n);
    if (lm_vocab_is_end(from->model->vocab, token)) return LM_GRAMMAR_TOKEN_KIND_END;
    if (attributes == 0 || attributes & (LM_TOKEN_ATTRIBUTE_UNKNOWN | LM_TOKEN_ATTRIBUTE_UNUSED))
        return LM_GRAMMAR_TOKEN_KIND_UNUSED;
    return attributes & LM_TOKEN_ATTRIBUTE_CONTROL ? LM_GRAMMAR_TOKEN_KIND_CONTROL : LM_GRAMMAR_TOKEN_KIND_TEXT;
}

lm_status lm_grammar_vocab_for_model(lm_model *model, lm_grammar_vocab **out, lm_error *error) {
    if (!model || !out) return lm_error_set(error, LM_ERR_ARGUMENT, "grammar vocabulary: model or out is NULL");
    if (lm_vocab_get_type(model->vocab) == LM_VOCAB_TYPE_NONE)
        return lm_error_set(error, LM_ERR_UNSUPPORTED, "grammar vocabulary: the model's tokens have no texts");
    source from = {model, lm_model_pieces(model)};
    if (!from.pieces) return lm_error_memory(error);
    lm_grammar_vocab_params params = LM_GRAMMAR_VOCAB_PARAMS_INIT;
    params.n_tokens = lm_vocab_count(model->vocab);
    params.allocator = &model->env->allocator;
    params.user = &from;
    params.get = get;
    return lm_grammar_vocab_create(&params, out, error);
}
