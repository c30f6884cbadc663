/* SPDX-License-Identifier: MIT
 * temperature: divide the logits by t; t <= 0 keeps only the most likely entry. With a range the temperature follows the
 * entropy H of the list: between t - range and t + range, as (H / ln n)^exponent. */
#include "sampler_internal.h"

typedef struct temperature {
    float t, range, exponent;
} temperature;

static lm_status apply(void *state, lm_candidates *c) {
    const temperature *own = state;
    if (!(own->range > 0.0f)) return lm_candidates_temper(c, own->t);
    if (c->count <= 1) return LM_OK;
    lm_status status = lm_candidates_scan(c);
    if (status != LM_OK) return status;
    lm_candidates_top(c, c->count);
    status = lm_candidates_softmax(c, NULL);
    if (status != LM_OK) return status;
    double low = own->t > own->range ? (double)own->t - own->range : 0.0, high = (double)own->t + own->range;
    double share = lm_candidates_entropy(c) / lm_ln((double)c->count);
    return lm_candidates_temper(c, low + (high - low) * lm_pow(share > 0.0 ? share : 0.0, own->exponent));
}

static const lm_sampler_ops ops = {"temperature", apply, NULL, NULL, NULL, NULL};

lm_status lm_sampler_temperature_create(const lm_sampler_setup *setup, lm_sampler_member *out) {
    const lm_sampler_params *params = setup->params;
    if (params->temperature == 1.0f && !(params->dynatemp_range > 0.0f)) return LM_OK;
    temperature state = {params->temperature, params->mirostat ? 0.0f : params->dynatemp_range,
                         params->dynatemp_exponent};
    return lm_sampler_member_create(setup->env, &ops, &state, sizeof state, out);
}
