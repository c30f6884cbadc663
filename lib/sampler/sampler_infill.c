/* SPDX-License-Identifier: MIT
 * infill (fill in the middle): end the text when the end tokens together are likely enough; otherwise merge candidates whose
 * texts are prefixes of each other and keep the confident ones. Meant after top_k and top_p: the merge compares pairs, so
 * only the most likely MAX_CANDIDATES entries are looked at and the others dropped. */
#include "sampler_internal.h"

#include <string.h>

#define MAX_CANDIDATES ((size_t)256)

typedef struct infill {
    lm_sampler_vocab vocab;
} infill;

static bool is_end(const infill *own, lm_token token) { return own->vocab.is_eog(own->vocab.user, token) != 0; }

/* Keep the entries whose mark is set; the list is in order and stays so. */
static void keep_marked(lm_candidates *c, const bool *is_kept) {
    lm_token *ids;
    float *logits = lm_candidates_edit_ids(c, &ids);
    size_t n = 0;
    for (size_t i = 0; i < c->count; i++) {
        if (!is_kept[i]) continue;
        c->p[n] = c->p[i];
        ids[n] = ids[i];
        logits[n++] = logits[i];
    }
    c->count = n;
    c->order = LM_LIST_ORDER_LOGIT;
}

static void keep_single(lm_candidates *c, lm_token token) {
    lm_token *ids;
    float *logits = lm_candidates_edit_ids(c, &ids);
    ids[0] = token;
    logits[0] = 0.0f;
    c->count = 1;
    c->order = LM_LIST_ORDER_LOGIT;
}

/* Give the p of the less likely entry of each prefix pair to the more likely one. */
static void merge_prefixes(const infill *own, lm_candidates *c) {
    for (size_t a = 0; a < c->count; a++) {
        size_t a_length = 0;
        const char *a_text = own->vocab.piece(own->vocab.user, c->ids[a], 0, &a_length);
        if (!a_text || a_length == 0) continue;
        for (size_t b = 0; b < c->count && c->p[a] > 0.0f; b++) {
            if (b == a || !(c->p[b] > 0.0f)) continue;
            size_t b_length = 0;
            const char *b_text = own->vocab.piece(own->vocab.user, c->ids[b], 0, &b_length);
            if (!b_text || b_length < a_length || memcmp(a_text, b_text, a_length) != 0) continue;
            size_t to = c->p[b] > c->p[a] ? b : a, from = to == a ? b : a;
            c->p[to] += c->p[from];
            c->p[from] = 0.0f;
        }
    }
}

static lm_status apply(void *state, lm_candidates *c) {
    const infill *own = state;
    bool is_kept[MAX_CANDIDATES];
    lm_status status = lm_candidates_scan(c);
    if (status != LM_OK) return status;
    lm_candidates_top(c, MAX_CANDIDATES);
    status = lm_candidates_softmax(c, NULL);
    if (status != LM_OK) return status;
    double end = 0.0, text = 0.0;
    for (size_t i = 0; i < c->count; i++) *(is_end(own, c->ids[i]) ? &end : &text) += c->p[i];
    if (3.0 * end * (double)c->count > text) {
        for (size_t i = 0; i < c->count; i++) is_kept[i] = is_end(own, c->ids[i]);
        keep_marked(c, is_kept);
        return LM_OK;
    }
    merge_prefixes(own, c);
    /* An end token that was merged away is masked, hence gone; text entries must be confident. */
    size_t n_text = 0;
    double sum = 0.0;
    for (size_t i = 0; i < c->count; i++) {
        bool is_text = !is_end(own, c->ids[i]);
        is_kept[i] = c->p[i] > 0.0f && (!is_text || c->p[i] >= 0.2f);
        if (!is_kept[i]) continue;
        n_text += is_text;
        sum += c->p[i];
    }
    if (n_text == 0) {
        keep_single(c, own->vocab.eot != LM_TOKEN_NONE ? own->vocab.eot : own->vocab.eos);
        return LM_OK;
    }
    double threshold = sum / (double)(n_text + 1);
    for (size_t i = 0; i < c->count; i++) is_kept[i] = is_kept[i] && (is_end(own, c->ids[i]) || c->p[i] >= threshold);
    keep_marked(c, is_kept);
    return LM_OK;
}

static const lm_sampler_ops ops = {"infill", apply, NULL, NULL, NULL, NULL};

lm_status lm_sampler_infill_create(const lm_sampler_setup *setup, lm_sampler_member *out) {
    infill state = {*setup->vocab};
    return lm_sampler_member_create(setup->env, &ops, &state, sizeof state, out);
}
