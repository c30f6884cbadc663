/* SPDX-License-Identifier: MIT
 * Models with reference logits, as tests/golden/models and the shared fixtures hold them: NAME.gguf, NAME.json, NAME.logits.f32. */
#ifndef LM_TESTS_FIXTURE_H
#define LM_TESTS_FIXTURE_H

#include <lm/lm.h>

typedef struct fixture {
    char name[64];
    char model_path[1024];
    lm_token *tokens;
    int32_t *positions; /* [n_positions] rows that are kept */
    size_t n_tokens, n_positions, n_vocab;
    float *logits;       /* [n_positions, n_vocab] the reference */
    float *native;       /* the same from an engine that quantises activations too, or NULL */
    double max_abs, rms; /* 0: compare distributions with native's */
    float *drafts;       /* [n_positions, n_vocab] of the draft block, or NULL */
    double drafts_max_abs;
} fixture;

/* Every fixture with logits in a folder, by name. n: how many; from malloc, to be given to fixtures_free. NULL when there is none. */
fixture *fixtures_read(const char *folder, size_t *n);
void fixtures_free(fixture *fixtures, size_t n);

/* A model on a runtime with this instruction set (NULL: the best) and threads (0: the default); fails the test. */
lm_model *fixture_open(const fixture *f, const char *cpu, int32_t n_threads);
/* A context of 512 positions with caches in F32 and a row of logits for every token. */
lm_context *fixture_context(lm_model *model, int32_t n_seqs, int32_t n_batch);
/* Append tokens [first, end) to a sequence in calls of at most `step` tokens; their rows go to rows + first * n_vocab, rows may be NULL. */
void fixture_eval(lm_context *context, const fixture *f, lm_seq seq, size_t first, size_t end, size_t step,
                  float *rows);
/* All rows of the draft block's logits from a fresh context: [n_tokens, n_vocab] from malloc. */
float *fixture_drafts(lm_model *model, const fixture *f, size_t step);
/* All rows from a fresh context: [n_tokens, n_vocab] from malloc. */
float *fixture_rows(lm_model *model, const fixture *f, size_t step);

#endif
