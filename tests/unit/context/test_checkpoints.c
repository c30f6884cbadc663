/* SPDX-License-Identifier: MIT
 * Going back on models that do not remember every position: whatever was synced, trimmed, forked, cancelled, saved and restored, the next
 * logits are the bytes that evaluating the same tokens from scratch gives; and it costs few tokens. */
#include <stdbool.h>

#include "base/hash.h"
#include "model_files.h"

static const char *const models[] = {"hybrid", "windowed", "qwen35-equal", "qwen3next",  "qwen35moe",
                                     "gemma3", "lfm2",     "gpt-oss",      "gemma4-e2b", "llama-plain"};
#define N_MODELS (sizeof models / sizeof *models)

static lm_context *open_context(lm_model *model, int32_t n_ctx, int32_t n_seqs, int32_t n_batch,
                                int32_t n_checkpoints) {
    lm_context_params params = LM_CONTEXT_PARAMS_INIT;
    lm_context *context;
    lm_error error;
    params.n_ctx = n_ctx;
    params.n_seqs = n_seqs;
    params.n_batch = n_batch;
    params.n_checkpoints = n_checkpoints;
    if (lm_context_open(model, &params, &context, &error) != LM_OK) fail_msg("%s", error.message);
    return context;
}

/* A chat of 20 turns and 4,000 tokens. Every prompt ends in a header of 6 tokens; the model answers with thinking and text; the next
 * prompt has neither the header nor the thinking. */
enum { TURNS = 20, QUESTION = 120, HEADER = 6, THINKING = 100, ANSWER = 74 };

/* Save the sequence, forget everything, open the model again and restore it: what a new process does. */
static void restart(const char *name, lm_model **model, lm_context **context) {
    char path[64];
    snprintf(path, sizeof path, "checkpoints-chat-%s.lmseq", name);
    test_ok(*context, lm_seq_save(*context, 0, path));
    lm_context_close(*context);
    lm_model_close(*model);
    *model = test_model(name, NULL);
    *context = open_context(*model, 4608, 1, 256, -1);
    test_ok(*context, lm_seq_restore(*context, 0, path));
    remove(path);
}

static void chat(const char *name, bool marks, int restart_every, int32_t most_percent) {
    lm_model *model = test_model(name, NULL);
    if (!model) return;
    int32_t n_vocab = test_vocab_size(model), total = 0, again = 0;
    lm_context *context = open_context(model, 4608, 1, 256, -1), *scratch = open_context(model, 4608, 1, 512, 0);
    test_random r = {7};
    lm_token text[5120], next;
    lm_token header[HEADER], thinking[THINKING];
    size_t n = 0;
    test_tokens(&r, header, HEADER, n_vocab);
    for (int turn = 0; turn < TURNS; turn++) {
        lm_sync_info info = {.struct_size = sizeof info};
        size_t known = n;
        test_tokens(&r, text + n, QUESTION, n_vocab);
        n += QUESTION;
        if (marks) test_ok(context, lm_context_mark(context, 0, n));
        memcpy(text + n, header, sizeof header);
        test_ok(context, lm_context_sync(context, 0, text, n + HEADER, &info));
        assert_int_equal(info.n_reused + info.n_evaluated, (int32_t)n + HEADER);
        if (turn % 7 == 6) test_same_as_from_scratch(context, scratch, text, n + HEADER, n_vocab, name);
        /* Of the history the question and header of the last turn were evaluated before; its answer is new where it now stands. */
        known = turn > 0 ? known - ANSWER : 0;
        again += (int32_t)known > info.n_reused ? (int32_t)known - info.n_reused : 0;
        if (marks && turn > 0) assert_int_equal(info.n_known - info.n_reused, 0);
        test_tokens(&r, thinking, THINKING, n_vocab);
        test_ok(context, lm_context_eval(context, thinking, THINKING));
        test_tokens(&r, text + n, ANSWER, n_vocab);
        for (int i = 0; i < ANSWER; i++) { /* one by one, as they are sampled */
            next = text[n + (size_t)i];
            test_ok(context, lm_context_eval(context, &next, 1));
        }
        n += ANSWER;
        total = (int32_t)n;
        if (restart_every && turn % restart_every == restart_every - 1) restart(name, &model, &context);
    }
    if (again * 100 > total * most_percent)
        fail_msg("%s: %d of %d tokens evaluated again", name, (int)again, (int)total);
    lm_context_close(scratch);
    lm_context_close(context);
    lm_model_close(model);
}

static void a_chat_without_its_thinking_costs_its_new_tokens(void **state) {
    (void)state;
    for (size_t m = 0; m < N_MODELS; m++) chat(models[m], false, 0, 10);
}

static void restarts_in_between_cost_no_more(void **state) {
    (void)state;
    static const char *const restarted[] = {"hybrid", "windowed", "gemma4-e2b", "gpt-oss"};
    for (size_t m = 0; m < sizeof restarted / sizeof *restarted; m++) chat(restarted[m], false, 4, 10);
}

static void marked_boundaries_cost_nothing(void **state) {
    (void)state;
    chat("hybrid", true, 0, 0);
}

/* Random life of three sequences against their tokens. */
static void live(const char *name, uint64_t seed, int32_t n_checkpoints) {
    lm_model *model = test_model(name, NULL);
    if (!model) return;
    enum { N_CTX = 704, N_SEQS = 3 };
    int32_t n_vocab = test_vocab_size(model);
    lm_context *context = open_context(model, N_CTX, N_SEQS, 96, n_checkpoints);
    lm_context *scratch = open_context(model, N_CTX + 8, 1, 256, 0);
    test_random r = {seed};
    lm_token text[N_SEQS][N_CTX + 8] = {{0}};
    size_t n[N_SEQS] = {0};
    char saved[64];
    lm_token saved_text[N_CTX];
    size_t saved_n = 0;
    snprintf(saved, sizeof saved, "checkpoints-%s-%d.lmseq", name, (int)n_checkpoints);
    for (int step = 0; step < 60; step++) {
        lm_seq s = (lm_seq)test_next(&r, N_SEQS), other = (lm_seq)test_next(&r, N_SEQS);
        size_t room = N_CTX - n[s] - 2, most = room < 200 ? room : 200, some = most ? test_next(&r, (uint32_t)most) : 0;
        switch (test_next(&r, 8)) {
        case 0:
        case 1: { /* grow */
            test_tokens(&r, text[s] + n[s], some, n_vocab);
            lm_batch_item item = {s, LM_LOGITS_NONE, text[s] + n[s], some};
            test_ok(context, lm_context_eval_batch(context, &item, 1));
            n[s] += some;
            break;
        }
        case 2: /* trim */
            n[s] -= n[s] ? test_next(&r, (uint32_t)(n[s] < 150 ? n[s] : 150)) : 0;
            test_ok(context, lm_seq_trim(context, s, n[s]));
            break;
        case 3: /* fork */
            test_ok(context, lm_seq_fork(context, s, other));
            memcpy(text[other], text[s], n[s] * sizeof **text);
            n[other] = n[s];
            break;
        case 4:
        case 5: { /* sync to a variation */
            size_t keep = n[other] ? test_next(&r, (uint32_t)n[other]) : 0, more = 1 + test_next(&r, 60);
            if (keep + more + 2 > N_CTX) break;
            memmove(text[s], text[other], keep * sizeof **text);
            test_tokens(&r, text[s] + keep, more, n_vocab);
            n[s] = keep + more;
            if (keep > 3) test_ok(context, lm_context_mark(context, s, keep - 1));
            test_ok(context, lm_context_sync(context, s, text[s], n[s], NULL));
            break;
        }
        case 6: /* save */
            test_ok(context, lm_seq_save(context, s, saved));
            memcpy(saved_text, text[s], n[s] * sizeof *saved_text);
            saved_n = n[s];
            break;
        default: /* restore, or close */
            if (saved_n && test_next(&r, 2)) {
                test_ok(context, lm_seq_restore(context, s, saved));
                memcpy(text[s], saved_text, saved_n * sizeof *saved_text);
                n[s] = saved_n;
            } else {
                test_ok(context, lm_seq_close(context, s));
                n[s] = 0;
            }
        }
        assert_int_equal(lm_seq_length(context, s), n[s]);
        if (n[s]) assert_memory_equal(lm_seq_tokens(context, s), text[s], n[s] * sizeof **text);
        if (step % 3) continue;
        text[s][n[s]] = (lm_token)test_next(&r, (uint32_t)n_vocab);
        lm_batch_item item = {s, LM_LOGITS_LAST, text[s] + n[s], 1};
        test_ok(context, lm_context_eval_batch(context, &item, 1));
        n[s]++;
        test_same_as_from_scratch(context, scratch, text[s], n[s], n_vocab, name);
        if (n[s] > N_CTX - 16) {
            test_ok(context, lm_seq_close(context, s));
            n[s] = 0;
        }
    }
    remove(saved);
    lm_context_close(scratch);
    lm_context_close(context);
    lm_model_close(model);
}

static void any_history_gives_the_bytes_from_scratch(void **state) {
    (void)state;
    for (size_t m = 0; m < N_MODELS; m++) {
        live(models[m], 11 + m, -1);
        live(models[m], 101 + m, (int32_t)(m % 3));
    }
}

/* An executor that cancels the context at its n-th use. */
typedef struct stopper {
    lm_context *context;
    int left;
} stopper;

static void stop_at(void *user, int32_t n, lm_executor_task task, void *arg) {
    stopper *s = user;
    if (s->context && s->left-- == 0) lm_context_cancel(s->context);
    for (int32_t i = 0; i < n; i++) task(arg, i);
}

static void a_cancelled_call_leaves_the_sequence_as_it_was(void **state) {
    (void)state;
    for (size_t m = 0; m < 3; m++) {
        stopper stop = {0};
        lm_executor executor = {&stop, stop_at};
        lm_runtime_params params = LM_RUNTIME_PARAMS_INIT;
        lm_runtime *runtime;
        lm_error error;
        params.executor = &executor;
        params.n_threads = 2;
        assert_int_equal(lm_runtime_create(&params, &runtime, &error), LM_OK);
        lm_model *model = test_model(models[m], runtime);
        lm_runtime_destroy(runtime);
        if (!model) continue;
        int32_t n_vocab = test_vocab_size(model);
        lm_context *context = open_context(model, 512, 2, 64, -1), *scratch = open_context(model, 512, 1, 64, 0);
        lm_token text[2][512];
        test_random r = {3};
        size_t n = 130;
        test_tokens(&r, text[0], 512, n_vocab);
        memcpy(text[1], text[0], sizeof text[0]);
        test_ok(context, lm_context_eval(context, text[0], n));
        test_ok(context, lm_seq_fork(context, 0, 1));
        int cancelled = 0;
        for (int k = 0; k < 40; k++) {
            size_t more = k % 3 == 0 ? 1 : k % 3 == 1 ? 5 : 150;
            lm_batch_item items[] = {{0, LM_LOGITS_LAST, text[0] + n, more},
                                     {1, LM_LOGITS_NONE, text[1] + n, more / 2 + 1}};
            stop = (stopper){context, k * (more > 100 ? 5 : 1)};
            lm_status status = lm_context_eval_batch(context, items, k % 2 ? 2 : 1);
            stop.context = NULL;
            assert_true(status == LM_OK || status == LM_ERR_CANCELLED);
            if (status == LM_OK) { /* the call was shorter than k */
                test_ok(context, lm_seq_trim(context, 0, n));
                test_ok(context, lm_seq_trim(context, 1, n));
            }
            cancelled += status == LM_ERR_CANCELLED;
            assert_int_equal(lm_seq_length(context, 0), n);
            assert_int_equal(lm_seq_length(context, 1), n);
            lm_batch_item after = {(lm_seq)(k & 1), LM_LOGITS_LAST, text[0] + n, 1};
            test_ok(context, lm_context_eval_batch(context, &after, 1));
            test_same_as_from_scratch(context, scratch, text[0], n + 1, n_vocab, models[m]);
            test_ok(context, lm_seq_trim(context, k & 1, n));
        }
        assert_true(cancelled > 10);
        lm_context_close(scratch);
        lm_context_close(context);
        lm_model_close(model);
    }
}

static void restored_sequences_keep_their_checkpoints(void **state) {
    (void)state;
    lm_model *model = test_model("hybrid", NULL);
    lm_context *context = open_context(model, 1024, 1, 128, -1);
    lm_token text[1024];
    test_random r = {5};
    lm_sync_info info = {.struct_size = sizeof info};
    test_tokens(&r, text, 1024, test_vocab_size(model));
    test_ok(context, lm_context_sync(context, 0, text, 400, NULL));
    test_ok(context, lm_context_eval(context, text + 400, 200));
    test_ok(context, lm_seq_save(context, 0, "checkpoints.lmseq"));
    lm_context_close(context);
    context = open_context(model, 1024, 1, 128, -1);
    test_ok(context, lm_seq_restore(context, 0, "checkpoints.lmseq"));
    text[395] ^= 1;
    test_ok(context, lm_context_sync(context, 0, text, 420, &info));
    assert_int_equal(info.checkpoint, 400 - 16);
    assert_int_equal(info.n_evaluated, 420 - (400 - 16));
    assert_int_equal(info.reason, LM_SYNC_REASON_CHECKPOINT);
    remove("checkpoints.lmseq");
    lm_context_close(context);
    lm_model_close(model);
}

static void put_bytes(const char *path, const char *bytes, size_t n) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

static void mend(char *bytes, size_t n) {
    uint64_t sum = lm_checksum(bytes, n - 8, 0);
    for (int i = 0; i < 8; i++) bytes[n - 8 + (size_t)i] = (char)(sum >> 8 * i);
}

/* A file with a right checksum over false numbers speaks in the sequence it was restored to, and in no other. */
static void false_files_change_no_other_sequence(void **state) {
    (void)state;
    static const char *const kinds[] = {"hybrid", "windowed", "plain"};
    for (size_t m = 0; m < 3; m++) {
        lm_model *model = test_model(kinds[m], NULL);
        int32_t n_vocab = test_vocab_size(model);
        lm_context *context = open_context(model, 512, 3, 128, -1), *scratch = open_context(model, 512, 1, 128, 0);
        lm_token text[300];
        test_random r = {21 + m};
        size_t size = 0;
        test_tokens(&r, text, 300, n_vocab);
        test_ok(scratch, lm_context_sync(scratch, 0, text, 250, NULL));
        test_ok(scratch, lm_seq_save(scratch, 0, "checkpoints-false.lmseq"));
        char *bytes = test_read("checkpoints-false.lmseq", &size);
        for (size_t i = 2048; i < size - 8; i += 2)
            bytes[i] ^= 0x11; /* behind the tokens: small changes of every number */
        mend(bytes, size);
        put_bytes("checkpoints-false.lmseq", bytes, size);
        test_ok(context, lm_seq_restore(context, 0, "checkpoints-false.lmseq"));
        assert_memory_equal(lm_seq_tokens(context, 0), text, 250 * sizeof *text);
        lm_batch_item item = {0, LM_LOGITS_LAST, text + 250, 20};
        test_ok(context, lm_context_eval_batch(context, &item, 1));
        test_ok(scratch, lm_seq_close(scratch, 0));
        test_ok(scratch, lm_context_eval(scratch, text, 270));
        assert_memory_not_equal(lm_context_logits(context), lm_context_logits(scratch),
                                (size_t)n_vocab * sizeof(float)); /* the numbers matter */
        for (lm_seq other = 1; other >= 0; other--) {             /* another one; this one once it is closed */
            lm_sync_info info = {.struct_size = sizeof info};
            test_ok(context, lm_seq_close(context, other));
            test_ok(context, lm_context_sync(context, other, text, 270, &info));
            if (other) assert_int_equal(info.n_reused, 0);
            test_same_as_from_scratch(context, scratch, text, 270, n_vocab, kinds[m]);
        }
        test_ok(context, lm_seq_restore(context, 0, "checkpoints-false.lmseq"));
        test_ok(context, lm_seq_fork(context, 0, 2)); /* a fork is the same text: it may use what there is */
        item.seq = 2;
        test_ok(context, lm_context_eval_batch(context, &item, 1));
        assert_memory_not_equal(lm_context_logits(context), lm_context_logits(scratch),
                                (size_t)n_vocab * sizeof(float));
        test_ok(context, lm_context_sync(context, 1, text, 280, NULL));
        test_same_as_from_scratch(context, scratch, text, 280, n_vocab, kinds[m]);
        free(bytes);
        remove("checkpoints-false.lmseq");
        lm_context_close(scratch);
        lm_context_close(context);
        lm_model_close(model);
    }
}

static void a_refused_file_changes_nothing(void **state) {
    (void)state;
    lm_model *model = test_model("hybrid", NULL);
    int32_t n_vocab = test_vocab_size(model);
    lm_context *context = open_context(model, 512, 1, 128, -1), *scratch = open_context(model, 512, 1, 128, 0);
    lm_token text[300];
    test_random r = {31};
    size_t size = 0;
    test_tokens(&r, text, 300, n_vocab);
    test_ok(context, lm_context_sync(context, 0, text, 200, NULL));
    test_ok(context, lm_seq_save(context, 0, "checkpoints-bad.lmseq"));
    char *bytes = test_read("checkpoints-bad.lmseq", &size);
    assert_int_equal(bytes[48], 1); /* one checkpoint, before the prompt's end */
    assert_int_equal((unsigned char)bytes[56], 184);
    static const struct {
        size_t offset;
        char value;
    } changes[] = {{56, 0}, {56, (char)201}, {57, 1}, {63, (char)0x80}, {64, 1}, {48, 2}, {48, 3}};
    test_ok(context, lm_context_eval(context, text + 200, 50));
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        char kept = bytes[changes[i].offset];
        bytes[changes[i].offset] = changes[i].value;
        mend(bytes, size);
        put_bytes("checkpoints-bad.lmseq", bytes, size);
        bytes[changes[i].offset] = kept;
        assert_int_equal(lm_seq_restore(context, 0, "checkpoints-bad.lmseq"), LM_ERR_FORMAT);
        assert_true(lm_context_message(context)[0] != '\0');
        assert_int_equal(lm_seq_length(context, 0), 250);
    }
    test_ok(context, lm_context_eval(context, text + 250, 1));
    test_same_as_from_scratch(context, scratch, text, 251, n_vocab, "after refused files");
    free(bytes);
    remove("checkpoints-bad.lmseq");
    lm_context_close(scratch);
    lm_context_close(context);
    lm_model_close(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chat_without_its_thinking_costs_its_new_tokens),
        cmocka_unit_test(restarts_in_between_cost_no_more),
        cmocka_unit_test(marked_boundaries_cost_nothing),
        cmocka_unit_test(any_history_gives_the_bytes_from_scratch),
        cmocka_unit_test(a_cancelled_call_leaves_the_sequence_as_it_was),
        cmocka_unit_test(restored_sequences_keep_their_checkpoints),
        cmocka_unit_test(false_files_change_no_other_sequence),
        cmocka_unit_test(a_refused_file_changes_nothing),
    };
    return cmocka_run_group_tests_name("checkpoints", tests, NULL, NULL);
}
