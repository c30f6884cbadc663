/* SPDX-License-Identifier: MIT
 * Embedding texts: pooled rows come from the program, as many texts at once as the context has sequences; rows per token are collected text by
 * text, in pieces where the model allows it. */
#include "../base/fp_contract.h"

#include <lm/embed.h>

#include <math.h>
#include <string.h>

#include "../base/checked.h"
#include "../base/real.h"
#include "../context/context.h"

#define MAX_ITEMS 64 /* texts of one evaluation; more would not make it faster */

static bool keeps_pooled(const lm_context *context) { return lm_context_pooled_floats(context) > 0; }

size_t lm_embed_width(const lm_context *context) {
    if (!context) return 0;
    if (keeps_pooled(context)) return lm_context_pooled_floats(context);
    return lm_context_in_force(context)->outputs & LM_OUTPUT_HIDDEN ? (size_t)lm_context_model(context)->hparams.n_embd
                                                                    : 0;
}

static void to_length_one(float *row, size_t width) {
    double sum = 0;
    for (size_t i = 0; i < width; i++) sum += (double)row[i] * (double)row[i];
    double factor = sum > 0 ? 1 / sqrt(sum) : 0;
    for (size_t i = 0; i < width; i++) row[i] = (float)((double)row[i] * factor);
}

static void to_probabilities(float *row, size_t width) {
    double sum = 0;
    float top = row[0];
    for (size_t i = 1; i < width; i++) top = row[i] > top ? row[i] : top;
    for (size_t i = 0; i < width; i++) sum += lm_real_exp((double)row[i] - (double)top);
    for (size_t i = 0; i < width; i++) row[i] = (float)(lm_real_exp((double)row[i] - (double)top) / sum);
}

static void finish_row(const lm_context *context, uint32_t flags, float *row, size_t width) {
    bool ranks = keeps_pooled(context) && lm_context_in_force(context)->pooling == LM_POOLING_RANK;
    if (!ranks && !(flags & LM_EMBED_RAW)) to_length_one(row, width);
    if (ranks && width > 1 && lm_context_model(context)->hparams.causal) to_probabilities(row, width);
}

static void empty_all(lm_context *context) {
    for (int32_t s = 0; s < lm_context_in_force(context)->n_seqs; s++) lm_kv_close(lm_context_kv(context), s);
}

/* What evaluating would refuse with the sequence's number, which is not the caller's. */
static lm_status check_text(lm_context *context, const lm_embed_text *text, size_t number) {
    int32_t n_vocab = lm_context_model(context)->hparams.n_vocab_in, n_ctx = lm_context_in_force(context)->n_ctx;
    if (!text->tokens || !text->n_tokens)
        return lm_context_fail(context, LM_ERR_ARGUMENT, "text %zu has no tokens", number);
    if (text->n_tokens > (size_t)n_ctx)
        return lm_context_fail(context, LM_ERR_FULL, "text %zu: %zu tokens do not fit a context of %d", number,
                               text->n_tokens, (int)n_ctx);
    for (size_t t = 0; t < text->n_tokens; t++)
        if (text->tokens[t] < 0 || text->tokens[t] >= n_vocab)
            return lm_context_fail(context, LM_ERR_RANGE, "text %zu: token %zu is %d: the vocabulary has %d", number, t,
                                   (int)text->tokens[t], (int)n_vocab);
    return LM_OK;
}

static lm_status check(lm_context *context, const lm_embed_text *texts, size_t n_texts, uint32_t flags,
                       const float *out, size_t capacity) {
    size_t width = lm_embed_width(context), rows = 0, floats;
    if ((n_texts && (!texts || !out)) || flags & ~LM_EMBED_RAW)
        return lm_context_fail(context, LM_ERR_ARGUMENT, "lm_embed: %s", texts && out ? "unknown flags" : "NULL");
    if (!width) return lm_context_fail(context, LM_ERR_STATE, "the context was opened for logits alone");
    for (size_t i = 0; i < n_texts; i++) {
        lm_status status = check_text(context, &texts[i], i);
        if (status != LM_OK) return status;
        if (!lm_size_add(rows, keeps_pooled(context) ? 1 : texts[i].n_tokens, &rows)) rows = SIZE_MAX;
    }
    if (!lm_size_mul(rows, width, &floats) || floats > capacity)
        return lm_context_fail(context, LM_ERR_FULL, "%zu rows of %zu floats do not fit a capacity of %zu", rows, width,
                               capacity);
    return LM_OK;
}

static lm_status embed_pooled(lm_context *context, const lm_embed_text *texts, size_t n_texts, uint32_t flags,
                              float *out) {
    size_t width = lm_context_pooled_floats(context), most = (size_t)lm_context_in_force(context)->n_seqs;
    if (most > MAX_ITEMS) most = MAX_ITEMS;
    lm_batch_item items[MAX_ITEMS];
    for (size_t done = 0; done < n_texts;) {
        size_t n = n_texts - done < most ? n_texts - done : most;
        for (size_t i = 0; i < n; i++)
            items[i] = (lm_batch_item){(lm_seq)i, LM_LOGITS_NONE, texts[done + i].tokens, texts[done + i].n_tokens};
        empty_all(context);
        lm_status status = lm_context_run(context, items, n);
        if (status != LM_OK) return status;
        for (size_t i = 0; i < n; i++, done++) {
            memcpy(out + done * width, lm_context_pooled_row(context, i), width * sizeof *out);
            finish_row(context, flags, out + done * width, width);
        }
    }
    return LM_OK;
}

static lm_status embed_rows(lm_context *context, const lm_embed_text *text, uint32_t flags, float **out) {
    size_t width = lm_embed_width(context), most = (size_t)lm_context_in_force(context)->n_outputs;
    bool whole = !lm_context_model(context)->hparams.causal;
    empty_all(context);
    for (size_t done = 0; done < text->n_tokens;) {
        size_t left = text->n_tokens - done, n = left < most || whole ? left : most;
        lm_batch_item item = {0, LM_LOGITS_ALL, text->tokens + done, n};
        lm_status status = lm_context_run(context, &item, 1);
        if (status != LM_OK) return status;
        for (size_t i = 0; i < n; i++, *out += width) {
            memcpy(*out, lm_context_hidden_row(context, i), width * sizeof **out);
            finish_row(context, flags, *out, width);
        }
        done += n;
    }
    return LM_OK;
}

lm_status lm_embed(lm_context *context, const lm_embed_text *texts, size_t n_texts, uint32_t flags, float *out,
                   size_t capacity) {
    if (!context) return LM_ERR_ARGUMENT;
    lm_status status = check(context, texts, n_texts, flags, out, capacity);
    if (status != LM_OK) return status;
    if (keeps_pooled(context)) {
        status = embed_pooled(context, texts, n_texts, flags, out);
    } else {
        for (size_t i = 0; i < n_texts && status == LM_OK; i++) status = embed_rows(context, &texts[i], flags, &out);
    }
    empty_all(context);
    return status;
}
