/* SPDX-License-Identifier: MIT
 * Logit biases: the caller's, every end-of-generation token when ignore_eos is set, and the tokens that the vocabulary
 * says must not be picked. */
#include "sampler_internal.h"

#include <math.h>
#include <string.h>

#include "../base/array.h"

typedef struct bias {
    uint64_t n_edits; /* the state continues with uint64_t [n_edits]: token << 32 | bits of the float */
} bias;

static float change(const void *state, uint32_t payload, float logit) {
    float value;
    (void)state;
    memcpy(&value, &payload, sizeof value);
    return logit + value;
}

static lm_status apply(void *state, lm_candidates *c) {
    const bias *own = state;
    lm_candidates_change(c, (const uint64_t *)(own + 1), (size_t)own->n_edits, change, NULL);
    return LM_OK;
}

static const lm_sampler_ops ops = {"bias", apply, NULL, NULL, NULL, NULL};

typedef LM_ARRAY(uint64_t) edit_array;

static bool push(const lm_sampler_setup *setup, edit_array *edits, lm_token token, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return lm_array_push(setup->env, edits, (uint64_t)(uint32_t)token << 32 | bits);
}

/* Sort and add up entries for one token: in order of their bits, which makes the sum independent of the caller's order. */
static void merge(edit_array *edits) {
    lm_sort_prefix(edits->data, edits->count, edits->count);
    size_t n = 0;
    for (size_t i = 0; i < edits->count;) {
        uint64_t token = edits->data[i] >> 32;
        float sum = 0.0f;
        for (; i < edits->count && edits->data[i] >> 32 == token; i++)
            sum = change(NULL, (uint32_t)edits->data[i], sum);
        uint32_t bits;
        memcpy(&bits, &sum, sizeof bits);
        edits->data[n++] = token << 32 | bits;
    }
    edits->count = n;
}

lm_status lm_sampler_bias_create(const lm_sampler_setup *setup, lm_sampler_member *out) {
    const lm_sampler_params *params = setup->params;
    const lm_sampler_vocab *vocab = setup->vocab;
    lm_status status = LM_ERR_MEMORY;
    edit_array edits = {NULL, 0, 0};
    for (size_t i = 0; i < params->n_biases; i++)
        if (!push(setup, &edits, params->biases[i].token, params->biases[i].bias)) goto out;
    for (size_t i = 0; i < vocab->n_suppressed; i++)
        if (!push(setup, &edits, vocab->suppressed[i], -INFINITY)) goto out;
    for (lm_token t = 0; params->ignore_eos && t < vocab->n_vocab; t++)
        if (vocab->is_eog(vocab->user, t) && !push(setup, &edits, t, -INFINITY)) goto out;
    status = LM_OK;
    if (edits.count == 0) goto out;
    merge(&edits);
    size_t bytes = sizeof(bias) + edits.count * sizeof *edits.data;
    bias *state = lm_alloc(setup->env, bytes);
    if (!state) {
        status = LM_ERR_MEMORY;
        goto out;
    }
    state->n_edits = edits.count;
    memcpy(state + 1, edits.data, edits.count * sizeof *edits.data);
    *out = (lm_sampler_member){&ops, state, bytes};
out:
    lm_array_free(setup->env, &edits);
    return status;
}
