/* SPDX-License-Identifier: MIT
 * A prompt's tokens. What the model wrote need not be cut into tokens as the tokenizer would cut it, so the tokens of the text
 * that the sequence already has are kept: all of them when the new text goes on from the old, else those up to the last
 * control token in what both have in common, since no token reaches across one. Only the rest is tokenised. Control tokens
 * in what the caller supplied stay text. */
#include <string.h>

#include "../base/checked.h"
#include "../base/format.h"
#include "../model/model.h"
#include "session.h"

/* How many of the known tokens the new text starts with. */
static size_t count_shared(const lm_chat_session *s, const lm_chat_prompt *prompt) {
    const char *old = lm_str_text(&s->text);
    size_t n = lm_size_min(s->text.size, prompt->text_size), same = 0, n_tokens = s->known.count;
    while (same < n && old[same] == prompt->text[same]) same++;
    if (same == s->text.size) return n_tokens;
    if (!s->is_exact) return 0;
    while (n_tokens > 0 &&
           (s->known.data[n_tokens - 1].end > same ||
            !(lm_token_attributes(s->model, s->known.data[n_tokens - 1].token) & LM_TOKEN_ATTRIBUTE_CONTROL)))
        n_tokens--;
    return n_tokens;
}

static lm_status add_known(lm_chat_session *s, lm_token token, size_t n) {
    lm_session_token one = {token, (s->known.count ? s->known.data[s->known.count - 1].end : 0) + n};
    return lm_array_push(&s->env, &s->known, one) ? LM_OK : LM_ERR_MEMORY;
}

/* Bytes of the prompt that a token at a place stands for. Vocabularies that add a space in front spell one more; where a
 * vocabulary changes the text, ends are guesses, and only the end of the whole is used. */
static size_t count_bytes(lm_chat_session *s, lm_token token, const lm_chat_prompt *prompt, size_t at) {
    size_t n, left = prompt->text_size - lm_size_min(at, prompt->text_size);
    const lm_pieces *pieces = lm_model_pieces(s->model);
    const char *piece = pieces ? lm_pieces_get(pieces, token, &n) : NULL;
    if (piece && n <= left && memcmp(prompt->text + at, piece, n) == 0) return n;
    if (piece && n > 0 && piece[0] == ' ' && n - 1 <= left && memcmp(prompt->text + at, piece + 1, n - 1) == 0)
        return n - 1;
    s->is_exact = false;
    return piece ? lm_size_min(n, left) : 0;
}

/* The rest of the prompt, from start. */
static lm_status tokenize(lm_chat_session *s, const lm_chat_prompt *prompt, size_t start, bool continues) {
    LM_ARRAY(lm_vocab_guard) guards = {NULL, 0, 0};
    lm_vocab_scratch *scratch = NULL;
    size_t count = 0, n = prompt->text_size - start;
    lm_status status = LM_OK;
    for (size_t i = 0; status == LM_OK && i < prompt->n_spans; i++) {
        const lm_chat_span *span = &prompt->spans[i];
        if (!(span->flags & LM_CHAT_SPAN_CALLER) || span->message < 0 || span->end <= start) continue;
        lm_vocab_guard guard = {span->start > start ? span->start - start : 0, span->end - start};
        if (!lm_array_push(&s->env, &guards, guard)) status = LM_ERR_MEMORY;
    }
    if (status == LM_OK) status = lm_vocab_scratch_create(s->model->vocab, &scratch);
    for (int pass = 0; status == LM_OK && pass < 2; pass++) {
        status = lm_vocab_encode_prompt(s->model->vocab, scratch, prompt->text + start, n, guards.data, guards.count,
                                        continues, s->tokens.data, s->tokens.capacity, &count);
        if (status != LM_OK || count <= s->tokens.capacity) break;
        if (!lm_array_reserve(&s->env, &s->tokens, count)) status = LM_ERR_MEMORY;
    }
    bool adds_bos = s->known.count == 0 && lm_vocab_adds_bos(s->model->vocab);
    lm_token bos = lm_vocab_role(s->model->vocab, LM_TOKEN_ROLE_BOS);
    if (status == LM_OK && adds_bos && bos != LM_TOKEN_NONE && (count == 0 || s->tokens.data[0] != bos))
        status = add_known(s, bos, 0);
    for (size_t i = 0; status == LM_OK && i < count; i++) {
        size_t at = s->known.count ? s->known.data[s->known.count - 1].end : 0;
        status = add_known(s, s->tokens.data[i], count_bytes(s, s->tokens.data[i], prompt, at));
    }
    if (status == LM_OK && s->known.count > 0) s->known.data[s->known.count - 1].end = prompt->text_size;
    lm_vocab_scratch_destroy(scratch);
    lm_array_free(&s->env, &guards);
    return status;
}

lm_status lm_session_take_prompt(lm_chat_session *s, const lm_chat_prompt *prompt) {
    s->known.count = count_shared(s, prompt);
    if (s->known.count == 0) s->is_exact = true;
    size_t start = s->known.count ? s->known.data[s->known.count - 1].end : 0;
    bool continues = s->known.count > 0 && !(lm_token_attributes(s->model, s->known.data[s->known.count - 1].token) &
                                             LM_TOKEN_ATTRIBUTE_CONTROL);
    lm_status status = tokenize(s, prompt, start, continues);
    if (status == LM_OK) {
        s->text.size = lm_size_min(start, s->text.size);
        status = lm_str_append(&s->text, prompt->text + s->text.size, prompt->text_size - s->text.size);
    }
    if (status == LM_OK) return LM_OK;
    s->known.count = 0;
    lm_str_clear(&s->text);
    return lm_error_set(&s->error, status, "the conversation cannot be made into tokens");
}

lm_status lm_session_take_token(lm_chat_session *s, lm_token token, const char *bytes, size_t n) {
    lm_status status = add_known(s, token, n);
    if (status == LM_OK) status = lm_str_append(&s->text, bytes, n);
    if (status == LM_OK) return LM_OK;
    s->known.count = 0;
    lm_str_clear(&s->text);
    return lm_error_set(&s->error, status, "out of memory");
}
