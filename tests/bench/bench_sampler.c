/* SPDX-License-Identifier: MIT
 * Microseconds per pick of several chains on large vocabularies: the median of many picks. Not a test; run by hand. */
#define _POSIX_C_SOURCE 199309L
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <lm/sampler.h>

#define PICKS 200
#define MAX_VOCAB 250000

static double now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* other programs do not concern us */
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Sums of twelve uniform numbers: close to the bell shape of a model's logits. */
static void fill(float *logits, size_t n) {
    uint32_t x = 12345;
    for (size_t i = 0; i < n; i++) {
        float sum = 0;
        for (int j = 0; j < 12; j++) {
            x = x * 1664525u + 1013904223u;
            sum += (float)(x >> 8) / 16777216.0f;
        }
        logits[i] = 2.5f * (sum - 6.0f);
    }
}

static int bench(const char *name, const lm_sampler_params *params, const float *logits, int32_t n_vocab) {
    static double times[PICKS];
    lm_sampler_vocab vocab = LM_SAMPLER_VOCAB_INIT;
    lm_sampler *sampler;
    lm_error error;
    vocab.n_vocab = n_vocab;
    if (lm_sampler_create(params, &vocab, &sampler, &error) != LM_OK) {
        fprintf(stderr, "%s: %s\n", name, error.message);
        return 1;
    }
    for (int i = 0; i < PICKS; i++) {
        lm_token token;
        double start = now_us();
        if (lm_sampler_pick(sampler, logits, (size_t)n_vocab, &token) != LM_OK) return 1;
        times[i] = now_us() - start;
        lm_sampler_accept(sampler, token);
    }
    qsort(times, PICKS, sizeof *times, compare);
    printf("%-28s %7d  %9.1f us  (min %.1f)\n", name, (int)n_vocab, times[PICKS / 2], times[0]);
    lm_sampler_destroy(sampler);
    return 0;
}

int main(void) {
    static const int32_t sizes[] = {150000, 250000};
    float *logits = malloc(MAX_VOCAB * sizeof *logits);
    int failed = 0;
    if (!logits) return 1;
    fill(logits, MAX_VOCAB);
    for (size_t i = 0; i < 2; i++) {
        lm_sampler_params params = LM_SAMPLER_PARAMS_INIT;
        params.seed = 1;
        failed |= bench("default", &params, logits, sizes[i]);
        params.n_probs = 10;
        failed |= bench("default, 10 alternatives", &params, logits, sizes[i]);
        params.n_probs = 0;
        params.repeat_penalty = 1.1f;
        failed |= bench("default, penalties", &params, logits, sizes[i]);
        params = (lm_sampler_params)LM_SAMPLER_PARAMS_INIT;
        params.top_k = 0;
        failed |= bench("top_p, min_p, temperature", &params, logits, sizes[i]);
        params.order = "min_p;temperature";
        failed |= bench("min_p, temperature", &params, logits, sizes[i]);
        params.order = "";
        failed |= bench("plain draw", &params, logits, sizes[i]);
        params.temperature = 0.0f;
        params.order = "temperature";
        failed |= bench("greedy", &params, logits, sizes[i]);
        params.order = "typ_p";
        params.typical_p = 0.9f;
        failed |= bench("typ_p", &params, logits, sizes[i]);
    }
    free(logits);
    return failed;
}
