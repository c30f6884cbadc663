/* SPDX-License-Identifier: MIT
 * Every model with reference logits: right in one batch, and the same bytes in every other way to evaluate it: batches of 1, 7 and 64,
 * one and two threads, every instruction set of the machine, and sequences that were forked, trimmed, synced, saved and restored.
 *
 * usage: test_models FOLDER; skips when the folder does not exist. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include "fixture.h"

#include <math.h>
#include <unistd.h>

static fixture *fixtures;
static size_t n_fixtures;

static void log_softmax(const float *x, size_t n, double *out) {
    double top = -INFINITY, sum = 0;
    for (size_t i = 0; i < n; i++) top = x[i] > top ? x[i] : top;
    for (size_t i = 0; i < n; i++) sum += exp(x[i] - top);
    for (size_t i = 0; i < n; i++) out[i] = x[i] - top - log(sum);
}

/* Mean over the kept positions of KL(reference || logits). */
static double divergence(const fixture *f, const float *logits) {
    double *p = malloc(2 * f->n_vocab * sizeof *p), *q = p + f->n_vocab, sum = 0;
    for (size_t i = 0; i < f->n_positions; i++) {
        log_softmax(f->logits + i * f->n_vocab, f->n_vocab, p);
        log_softmax(logits + i * f->n_vocab, f->n_vocab, q);
        for (size_t v = 0; v < f->n_vocab; v++) sum += exp(p[v]) * (p[v] - q[v]);
    }
    free(p);
    return sum / (double)f->n_positions;
}

static void check_against_reference(const fixture *f, const float *rows) {
    size_t n = f->n_positions * f->n_vocab;
    float *kept = malloc(n * sizeof *kept);
    double worst = 0, squares = 0;
    for (size_t i = 0; i < f->n_positions; i++)
        memcpy(kept + i * f->n_vocab, rows + (size_t)f->positions[i] * f->n_vocab, f->n_vocab * sizeof *kept);
    for (size_t i = 0; i < n; i++) {
        double d = fabs((double)kept[i] - (double)f->logits[i]);
        if (!(d <= worst)) worst = d; /* a NaN becomes the worst */
        squares += d * d;
    }
    if (f->native) {
        double own = divergence(f, kept), native = divergence(f, f->native);
        if (!(own <= 1.05 * native)) fail_msg("%s: KL divergence %g, the native one is %g", f->name, own, native);
    } else if (!(worst <= f->max_abs && sqrt(squares / (double)n) <= f->rms))
        fail_msg("%s: off by %g at most (%g allowed), %g in the mean (%g allowed)", f->name, worst, f->max_abs,
                 sqrt(squares / (double)n), f->rms);
    free(kept);
}

static void logits_agree_with_the_reference(void **state) {
    (void)state;
    for (size_t i = 0; i < n_fixtures; i++) {
        lm_model *model = fixture_open(&fixtures[i], NULL, 0);
        float *rows = fixture_rows(model, &fixtures[i], 512);
        check_against_reference(&fixtures[i], rows);
        free(rows);
        lm_model_close(model);
    }
}

static void draft_logits_agree_with_the_reference(void **state) {
    (void)state;
    size_t n_drafting = 0;
    for (size_t i = 0; i < n_fixtures; i++) {
        const fixture *f = &fixtures[i];
        if (!f->drafts) continue;
        lm_model *model = fixture_open(f, NULL, 2);
        float *rows = fixture_drafts(model, f, 512);
        static const size_t steps[] = {1, 7, 64};
        for (size_t p = 0; p < f->n_positions; p++)
            for (size_t v = 0; v < f->n_vocab; v++) {
                float found = rows[(size_t)f->positions[p] * f->n_vocab + v], wanted = f->drafts[p * f->n_vocab + v];
                if (!(fabs((double)found - (double)wanted) <= f->drafts_max_abs))
                    fail_msg("%s: draft logit %zu of position %d is %g, expected %g", f->name, v, f->positions[p],
                             (double)found, (double)wanted);
            }
        for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
            float *other = fixture_drafts(model, f, steps[s]);
            if (memcmp(rows, other, f->n_tokens * f->n_vocab * sizeof *rows) != 0)
                fail_msg("%s: other draft logits in batches of %zu", f->name, steps[s]);
            free(other);
        }
        free(rows);
        lm_model_close(model);
        n_drafting++;
    }
    assert_true(n_drafting > 0);
}

static void check_same(const fixture *f, const float *expected, const float *rows, size_t first, size_t end,
                       const char *how) {
    for (size_t t = first; t < end; t++)
        if (memcmp(expected + t * f->n_vocab, rows + t * f->n_vocab, f->n_vocab * sizeof *rows) != 0)
            fail_msg("%s: the logits of position %zu are other bytes %s", f->name, t, how);
}

static int machine_runs(const char *cpu) {
    lm_runtime_params params = LM_RUNTIME_PARAMS_INIT;
    lm_runtime *runtime = NULL;
    params.cpu = cpu;
    lm_status status = lm_runtime_create(&params, &runtime, NULL);
    lm_runtime_destroy(runtime);
    return status == LM_OK;
}

static void logits_are_the_same_bytes_everywhere(void **state) {
    (void)state;
    static const char *const levels[] = {"generic", "avx2", "avx2vnni", "avx512vnni", "neon", "dotprod", "i8mm"};
    static const size_t steps[] = {512, 1, 7, 64};
    for (size_t i = 0; i < n_fixtures; i++) {
        const fixture *f = &fixtures[i];
        float *expected = NULL;
        int n_levels = 0;
        for (size_t l = 0; l < sizeof levels / sizeof *levels; l++) {
            if (!machine_runs(levels[l])) continue;
            n_levels++;
            for (int32_t n_threads = 1; n_threads <= 2; n_threads++) {
                lm_model *model = fixture_open(f, levels[l], n_threads);
                for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
                    /* The reference level is slow: there one batch size for each number of threads will do. */
                    if (l == 0 && s != (size_t)n_threads + 1) continue;
                    char how[64];
                    float *rows = fixture_rows(model, f, steps[s]);
                    snprintf(how, sizeof how, "(%s, %d threads, batches of %zu)", levels[l], (int)n_threads, steps[s]);
                    if (expected)
                        check_same(f, expected, rows, 0, f->n_tokens, how), free(rows);
                    else
                        expected = rows;
                }
                lm_model_close(model);
            }
        }
        assert_true(n_levels > 0);
        free(expected);
    }
}

/* ---- sequences ---- */

static void sync_to(lm_context *context, const fixture *f, lm_seq seq, const lm_token *tokens, size_t n, float *row,
                    lm_sync_info *info) {
    *info = (lm_sync_info){.struct_size = sizeof *info};
    if (lm_context_sync(context, seq, tokens, n, info) != LM_OK)
        fail_msg("%s: %s", f->name, lm_context_message(context));
    assert_int_equal((size_t)info->n_reused + (size_t)info->n_evaluated, n);
    memcpy(row, lm_context_logits(context), f->n_vocab * sizeof *row);
}

static void forks_go_on_alike(lm_context *c, const fixture *f, const float *expected, float *rows, size_t middle) {
    size_t n = f->n_tokens;
    fixture_eval(c, f, 0, 0, middle, 64, NULL);
    assert_int_equal(lm_seq_fork(c, 0, 1), LM_OK);
    fixture_eval(c, f, 1, middle, n, 5, rows);
    check_same(f, expected, rows, middle, n, "after a fork");
    fixture_eval(c, f, 0, middle, n, 64, rows);
    check_same(f, expected, rows, middle, n, "in the sequence that was forked");
}

/* Sequences 2 and 3 grow in the same calls, at different places of the text. */
static void neighbours_change_nothing(lm_context *c, const fixture *f, const float *expected, size_t lead) {
    size_t n = f->n_tokens, at = 0;
    fixture_eval(c, f, 2, 0, lead, 64, NULL);
    for (size_t size = 1; at + lead + size <= n; at += size, size = size % 9 + 1) {
        lm_batch_item items[2] = {{3, LM_LOGITS_LAST, f->tokens + at, size},
                                  {2, LM_LOGITS_ALL, f->tokens + lead + at, size}};
        assert_int_equal(lm_context_eval_batch(c, items, 2), LM_OK);
        assert_int_equal(lm_context_logits_count(c), size + 1);
        const float *first = lm_context_logits_row(c, 0), *last = lm_context_logits_row(c, size);
        if (memcmp(first, expected + (at + size - 1) * f->n_vocab, f->n_vocab * sizeof *first) != 0 ||
            memcmp(last, expected + (lead + at + size - 1) * f->n_vocab, f->n_vocab * sizeof *last) != 0)
            fail_msg("%s: other bytes beside another sequence", f->name);
    }
}

static void trimmed_goes_on_alike(lm_context *c, const fixture *f, const float *expected, float *rows, size_t keep) {
    lm_status status = lm_seq_trim(c, 0, keep);
    if (status == LM_ERR_STATE) return; /* recurrent layers or a window: sync is for them */
    assert_int_equal(status, LM_OK);
    assert_int_equal(lm_seq_length(c, 0), keep);
    fixture_eval(c, f, 0, keep, f->n_tokens, 11, rows);
    check_same(f, expected, rows, keep, f->n_tokens, "after a trim");
}

static void synced_is_alike(lm_model *model, lm_context *c, const fixture *f, const float *expected, float *rows) {
    size_t n = f->n_tokens, turn = n / 2 + 3;
    const float *last = expected + (n - 1) * f->n_vocab;
    lm_sync_info info;
    lm_token *other = malloc(n * sizeof *other);
    memcpy(other, f->tokens, n * sizeof *other);
    for (size_t i = turn; i < n; i++) other[i] = f->tokens[n - 1 - i + turn / 2];
    sync_to(c, f, 0, f->tokens, n, rows, &info);
    if (memcmp(rows, last, f->n_vocab * sizeof *rows) != 0) fail_msg("%s: other bytes after a sync", f->name);
    sync_to(c, f, 0, other, n, rows, &info); /* the history changes in its middle */
    lm_context *fresh = fixture_context(model, 1, 0);
    assert_int_equal(lm_context_eval(fresh, other, n), LM_OK);
    if (memcmp(rows, lm_context_logits(fresh), f->n_vocab * sizeof *rows) != 0)
        fail_msg("%s: other bytes after another turn", f->name);
    lm_context_close(fresh);
    assert_int_equal(lm_seq_close(c, 0), LM_OK);
    sync_to(c, f, 0, f->tokens, n, rows, &info); /* from the cache of finished prefixes, in part */
    if (memcmp(rows, last, f->n_vocab * sizeof *rows) != 0) fail_msg("%s: other bytes from the prefix cache", f->name);
    if (n > 128 && info.reason != LM_SYNC_REASON_CHECKPOINT) assert_true(info.n_reused >= 64);
    free(other);
}

static void restored_is_alike(lm_model *model, lm_context *c, const fixture *f, const float *expected, float *rows,
                              const char *path) {
    size_t n = f->n_tokens, middle = n / 2 + 5;
    assert_int_equal(lm_seq_close(c, 1), LM_OK);
    fixture_eval(c, f, 1, 0, middle, 64, NULL);
    if (lm_seq_save(c, 1, path) != LM_OK) fail_msg("%s: %s", f->name, lm_context_message(c));
    lm_context *fresh = fixture_context(model, 3, 0);
    if (lm_seq_restore(fresh, 2, path) != LM_OK) fail_msg("%s: %s", f->name, lm_context_message(fresh));
    assert_int_equal(lm_seq_length(fresh, 2), middle);
    assert_memory_equal(lm_seq_tokens(fresh, 2), f->tokens, middle * sizeof *f->tokens);
    fixture_eval(fresh, f, 2, middle, n, 64, rows);
    check_same(f, expected, rows, middle, n, "after restoring");
    lm_context_close(fresh);
    unlink(path);
}

static void sequences_continue_with_the_same_bytes(void **state) {
    (void)state;
    char path[] = "./lm-golden-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    for (size_t i = 0; i < n_fixtures; i++) {
        const fixture *f = &fixtures[i];
        lm_model *model = fixture_open(f, NULL, 2);
        float *expected = fixture_rows(model, f, 512), *rows = malloc(f->n_tokens * f->n_vocab * sizeof *rows);
        lm_context *c = fixture_context(model, 4, 64);
        forks_go_on_alike(c, f, expected, rows, f->n_tokens / 3 * 2 + 1);
        neighbours_change_nothing(c, f, expected, 20);
        trimmed_goes_on_alike(c, f, expected, rows, f->n_tokens - 30);
        trimmed_goes_on_alike(c, f, expected, rows, 17);
        synced_is_alike(model, c, f, expected, rows);
        restored_is_alike(model, c, f, expected, rows, path);
        lm_context_close(c);
        free(expected);
        free(rows);
        lm_model_close(model);
    }
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(logits_agree_with_the_reference),
                                       cmocka_unit_test(draft_logits_agree_with_the_reference),
                                       cmocka_unit_test(logits_are_the_same_bytes_everywhere),
                                       cmocka_unit_test(sequences_continue_with_the_same_bytes)};
    if (argc < 2 || !(fixtures = fixtures_read(argv[1], &n_fixtures))) return 77; /* meson's word for a skipped test */
    int status = cmocka_run_group_tests_name(argv[1], tests, NULL, NULL);
    fixtures_free(fixtures, n_fixtures);
    return status;
}
