/* SPDX-License-Identifier: MIT
 * The front door of the vocab room. A model keeps one spare tokenizer scratch: the caller that finds it uses it, others make their own. */
#include <lm/vocab.h>

#include "../model/model.h"
#include "../vocab/text_stream.h"

#define TOKENIZE_FLAGS (LM_TOKENIZE_ADD_SPECIAL | LM_TOKENIZE_PARSE_SPECIAL)
#define DETOKENIZE_FLAGS (LM_DETOKENIZE_SPECIAL | LM_DETOKENIZE_REMOVE_ADDED)

int32_t lm_tokenize(const lm_model *model, const char *text, size_t n, uint32_t flags, lm_token *out, size_t cap) {
    if (!model || (n && !text) || (cap && !out) || flags & ~TOKENIZE_FLAGS) return -LM_ERR_ARGUMENT;
    lm_model *shared = (lm_model *)(uintptr_t)model; /* only the spare scratch changes, atomically */
    lm_vocab_scratch *scratch = atomic_exchange(&shared->scratch, NULL);
    lm_status status = scratch ? LM_OK : lm_vocab_scratch_create(model->vocab, &scratch);
    size_t count = 0;
    if (status == LM_OK) status = lm_vocab_encode(model->vocab, scratch, text, n, flags, out, cap, &count);
    lm_vocab_scratch_destroy(atomic_exchange(&shared->scratch, scratch));
    if (status == LM_OK && count > INT32_MAX) status = LM_ERR_LIMIT;
    return status == LM_OK ? (int32_t)count : -(int32_t)status;
}

int32_t lm_detokenize(const lm_model *model, const lm_token *tokens, size_t n_tokens, uint32_t flags, char *out,
                      size_t cap) {
    if (!model || (n_tokens && !tokens) || (cap && !out) || flags & ~DETOKENIZE_FLAGS) return -LM_ERR_ARGUMENT;
    size_t size = 0;
    lm_status status = lm_vocab_decode(model->vocab, tokens, n_tokens, flags, out, cap, &size);
    if (status == LM_OK && size > INT32_MAX) status = LM_ERR_LIMIT;
    return status == LM_OK ? (int32_t)size : -(int32_t)status;
}

int32_t lm_token_piece(const lm_model *model, lm_token token, uint32_t flags, char *out, size_t cap) {
    if (!model || (cap && !out) || flags & ~DETOKENIZE_FLAGS) return -LM_ERR_ARGUMENT;
    if (lm_vocab_get_type(model->vocab) == LM_VOCAB_TYPE_NONE) return -LM_ERR_UNSUPPORTED;
    if (token < 0 || (uint32_t)token >= lm_vocab_count(model->vocab)) return -LM_ERR_RANGE;
    return (int32_t)lm_vocab_piece(model->vocab, token, flags, out, cap);
}

int32_t lm_vocab_size(const lm_model *model) { return model ? (int32_t)lm_vocab_count(model->vocab) : 0; }

lm_token lm_vocab_token(const lm_model *model, int32_t role) {
    return model ? lm_vocab_role(model->vocab, role) : LM_TOKEN_NONE;
}

lm_token lm_vocab_bos(const lm_model *model) { return lm_vocab_token(model, LM_TOKEN_ROLE_BOS); }
lm_token lm_vocab_eos(const lm_model *model) { return lm_vocab_token(model, LM_TOKEN_ROLE_EOS); }
lm_token lm_vocab_eot(const lm_model *model) { return lm_vocab_token(model, LM_TOKEN_ROLE_EOT); }

int32_t lm_token_is_end(const lm_model *model, lm_token token) { return model && lm_vocab_is_end(model->vocab, token); }

uint32_t lm_token_attributes(const lm_model *model, lm_token token) {
    return model ? lm_vocab_attributes(model->vocab, token) : 0;
}

int32_t lm_text_stream_next(const lm_model *model, lm_text_stream *stream, lm_token token, uint32_t flags, char *out,
                            size_t cap) {
    if (!model || !stream || (cap && !out) || flags & ~DETOKENIZE_FLAGS) return -LM_ERR_ARGUMENT;
    size_t size = 0;
    lm_status status = lm_text_stream_put(model->vocab, stream, token, flags, out, cap, &size);
    return status == LM_OK ? (int32_t)size : -(int32_t)status;
}

int32_t lm_text_stream_end(lm_text_stream *stream, char *out, size_t cap) {
    if (!stream || (cap && !out)) return -LM_ERR_ARGUMENT;
    int32_t size = stream->n_held ? 3 : 0;
    if ((size_t)size > cap) return size;
    if (size) out[0] = (char)0xef, out[1] = (char)0xbf, out[2] = (char)0xbd;
    *stream = (lm_text_stream){{0}, 0};
    return size;
}
