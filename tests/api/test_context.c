/* SPDX-License-Identifier: MIT
 * lm/context.h: every status of evaluating, syncing, forking, trimming, saving and restoring, and the state after it; memory to the byte;
 * nothing allocated while working. */
#define _POSIX_C_SOURCE 200809L
#include "small_model.h"

#include <unistd.h>

#define ROW (SMALL_VOCAB * sizeof(float))

static lm_context_params params_of(int32_t n_ctx, int32_t n_seqs, int32_t n_outputs) {
    lm_context_params params = LM_CONTEXT_PARAMS_INIT;
    params.n_ctx = n_ctx;
    params.n_seqs = n_seqs;
    params.n_outputs = n_outputs;
    return params;
}

static void opening_refuses_wrong_parameters(void **state) {
    (void)state;
    lm_model *model = small_model(NULL, 1);
    lm_context *context = NULL;
    lm_error error = {.message = ""};
    const struct {
        lm_status status;
        const char *word;
        lm_context_params params;
    } cases[] = {
        {LM_ERR_ARGUMENT, "n_ctx", {.n_ctx = -1, .n_seqs = 1}},
        {LM_ERR_ARGUMENT, "n_seqs", {.n_seqs = 0}},
        {LM_ERR_ARGUMENT, "n_seqs", {.n_seqs = 1000000}},
        {LM_ERR_ARGUMENT, "n_batch", {.n_seqs = 1, .n_batch = -1}},
        {LM_ERR_ARGUMENT, "n_outputs", {.n_seqs = 1, .n_outputs = -1}},
        {LM_ERR_ARGUMENT, "n_threads", {.n_seqs = 1, .n_threads = -1}},
        {LM_ERR_ARGUMENT, "n_checkpoints", {.n_seqs = 1, .n_checkpoints = -2}},
        {LM_ERR_ARGUMENT, "pooling", {.n_seqs = 1, .pooling = LM_POOLING_DEFAULT - 1}},
        {LM_ERR_ARGUMENT, "pooling", {.n_seqs = 1, .pooling = LM_POOLING_RANK + 1}},
        {LM_ERR_ARGUMENT, "lm_context_params.k_type is 14", {.n_seqs = 1, .k_type = LM_DTYPE_Q6K}},
        {LM_ERR_UNSUPPORTED, "q8_0", {.n_seqs = 1, .k_type = LM_DTYPE_Q8_0}}, /* heads of 8 numbers, blocks of 32 */
        {LM_ERR_ARGUMENT, "lm_context_params.v_type is 12345", {.n_seqs = 1, .v_type = 12345}},
        {LM_ERR_ARGUMENT, "lm_context_params.v_type is -1", {.n_seqs = 1, .v_type = -1}},
        {LM_ERR_FULL, "cache_bytes", {.n_seqs = 1, .n_ctx = 512, .cache_bytes = 1000}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lm_context_params p = cases[i].params;
        p.struct_size = sizeof p;
        assert_int_equal(lm_context_open(model, &p, &context, &error), cases[i].status);
        assert_null(context);
        if (!strstr(error.message, cases[i].word)) fail_msg("\"%s\" does not name %s", error.message, cases[i].word);
    }
    assert_int_equal(lm_context_open(NULL, NULL, &context, NULL), LM_ERR_ARGUMENT);
    assert_int_equal(lm_context_open(model, NULL, NULL, NULL), LM_ERR_ARGUMENT);
    lm_context_params many = LM_CONTEXT_PARAMS_INIT, in_force = {.struct_size = sizeof in_force};
    many.n_threads = 1000; /* of a runtime of one */
    context = small_context(model, many);
    assert_int_equal(lm_context_get_params(context, &in_force), LM_OK);
    assert_int_equal(in_force.n_threads, 1);
    lm_context_close(context);
    lm_context_close(NULL);
    lm_model_close(model);
}

static void a_context_keeps_its_model(void **state) {
    (void)state;
    lm_model *model = small_model(NULL, 1);
    lm_context *context = small_context(model, params_of(0, 1, 0));
    lm_context_params in_force = {.struct_size = sizeof in_force};
    lm_token tokens[4];
    lm_model_close(model);
    assert_int_equal(lm_context_eval(context, small_text(1, tokens, 4), 4), LM_OK);
    assert_int_equal(lm_context_get_params(context, &in_force), LM_OK);
    assert_int_equal(in_force.n_ctx, 512);
    assert_int_equal(in_force.n_batch, 512);
    assert_int_equal(in_force.n_outputs, 1);
    lm_context_close(context);
}

/* After a refusal the sequence is as it was and goes on with the same bytes. */
static void errors_leave_the_sequence_as_it_was(void **state) {
    (void)state;
    lm_model *model = small_model(NULL, 1);
    lm_context *c = small_context(model, params_of(64, 2, 4)), *fresh = small_context(model, params_of(64, 2, 4));
    lm_token text[80], bad[3] = {5, SMALL_VOCAB, 6}, negative = -1;
    small_text(3, text, 80);
    assert_string_equal(lm_context_message(c), "");
    assert_null(lm_context_logits(c));
    assert_int_equal(lm_context_eval(c, text, 10), LM_OK);
    const lm_batch_item items[] = {
        {0, LM_LOGITS_LAST, bad, 3},       /* RANGE: an id */
        {0, LM_LOGITS_LAST, &negative, 1}, /* RANGE: an id */
        {2, LM_LOGITS_LAST, text, 1},      /* RANGE: no such sequence */
        {-1, LM_LOGITS_LAST, text, 1},     /* RANGE */
        {0, LM_LOGITS_LAST, text, 55},     /* FULL: the context */
        {0, LM_LOGITS_ALL, text, 5},       /* FULL: rows */
        {0, 9, text, 1},                   /* ARGUMENT: logits */
        {0, LM_LOGITS_LAST, NULL, 1},      /* ARGUMENT: tokens */
    };
    const lm_status expected[] = {LM_ERR_RANGE, LM_ERR_RANGE, LM_ERR_RANGE,    LM_ERR_RANGE,
                                  LM_ERR_FULL,  LM_ERR_FULL,  LM_ERR_ARGUMENT, LM_ERR_ARGUMENT};
    for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
        assert_int_equal(lm_context_eval_batch(c, &items[i], 1), expected[i]);
        assert_true(lm_context_message(c)[0] != '\0');
        assert_int_equal(lm_seq_length(c, 0), 10);
        assert_memory_equal(lm_seq_tokens(c, 0), text, 10 * sizeof *text);
    }
    const lm_batch_item twice[] = {{1, LM_LOGITS_LAST, text, 2}, {1, LM_LOGITS_LAST, text, 2}};
    assert_int_equal(lm_context_eval_batch(c, twice, 2), LM_ERR_ARGUMENT);
    assert_int_equal(lm_seq_length(c, 1), 0);
    assert_int_equal(lm_context_eval_batch(c, NULL, 1), LM_ERR_ARGUMENT);
    assert_string_equal(lm_context_message(c), "items is NULL");
#ifndef _WIN32                                                                /* which has no such names */
    assert_int_equal(lm_seq_restore(c, 1, "no\nsuch\xff"), LM_ERR_NOT_FOUND); /* one line of UTF-8, whatever it names */
    assert_string_equal(lm_context_message(c), "cannot open no such?: no such file");
#endif
    assert_int_equal(lm_seq_save(c, 0, ""), LM_ERR_ARGUMENT);
    assert_string_equal(lm_context_message(c), "the path is empty");
    assert_int_equal(lm_seq_restore(c, 1, NULL), LM_ERR_ARGUMENT);
    assert_string_equal(lm_context_message(c), "path is NULL");
    assert_int_equal(lm_seq_restore(c, 1, ""), LM_ERR_ARGUMENT);
    assert_string_equal(lm_context_message(c), "the path is empty");
    assert_int_equal(lm_seq_save(c, 0, "no-such-folder/x"), LM_ERR_NOT_FOUND);
    assert_string_equal(lm_context_message(c), "cannot create no-such-folder/x: no such folder");
    assert_int_equal(lm_context_eval_batch(NULL, items, 1), LM_ERR_ARGUMENT);
    assert_int_equal(lm_context_eval(c, NULL, 0), LM_OK);
    assert_int_equal(lm_context_eval(c, text + 10, 54), LM_OK);
    assert_int_equal(lm_context_eval(c, text, 1), LM_ERR_FULL);
    assert_int_equal(lm_context_eval(fresh, text, 64), LM_OK);
    assert_int_equal(lm_context_eval(c, text, 0), LM_OK); /* nothing happens: the row stays */
    assert_memory_equal(lm_context_logits(c), lm_context_logits(fresh), ROW);
    lm_context_close(c);
    lm_context_close(fresh);
    lm_model_close(model);
}

static void rows_are_numbered_by_items(void **state) {
    (void)state;
    lm_model *model = small_model(NULL, 1);
    lm_context *c = small_context(model, params_of(128, 3, 16)), *one = small_context(model, params_of(128, 1, 1));
    lm_token text[3][10];
    for (int i = 0; i < 3; i++) small_text(i, text[i], 10);
    const lm_batch_item items[] = {
        {2, LM_LOGITS_ALL, text[0], 4}, {0, LM_LOGITS_NONE, text[1], 10}, {1, LM_LOGITS_LAST, text[2], 7}};
    assert_int_equal(lm_context_eval_batch(c, items, 3), LM_OK);
    assert_int_equal(lm_context_logits_count(c), 5);
    assert_null(lm_context_logits_row(c, 5));
    for (size_t t = 0; t < 4; t++) {
        assert_int_equal(lm_context_eval(one, text[0] + t, 1), LM_OK);
        assert_memory_equal(lm_context_logits(one), lm_context_logits_row(c, t), ROW);
    }
    lm_seq_close(one, 0);
    assert_int_equal(lm_context_eval(one, text[2], 7), LM_OK);
    assert_memory_equal(lm_context_logits(one), lm_context_logits_row(c, 4), ROW);
    assert_ptr_equal(lm_context_logits(c), lm_context_logits_row(c, 4));
    assert_int_equal(lm_seq_length(c, 0), 10);
    lm_context_close(c);
    lm_context_close(one);
    lm_model_close(model);
}

static void a_small_cache_is_full_for_a_second_sequence(void **state) {
    (void)state;
    lm_model *model = small_model(NULL, 1);
    lm_memory memory = {.struct_size = sizeof memory};
    lm_context *measure = small_context(model, params_of(256, 1, 1));
    assert_int_equal(lm_context_memory(measure, &memory), LM_OK);
    lm_context_close(measure);
    lm_context_params params = params_of(256, 3, 3);
    params.cache_bytes = memory.cache_bytes;
    lm_context *c = small_context(model, params);
    lm_token text[256];
    small_text(4, text, 256);
    const lm_batch_item items[] = {{0, LM_LOGITS_LAST, text, 200}, {1, LM_LOGITS_LAST, text + 1, 200}};
    assert_int_equal(lm_context_eval_batch(c, &items[0], 1), LM_OK);
    assert_int_equal(lm_context_eval_batch(c, &items[1], 1), LM_ERR_FULL);
    assert_int_equal(lm_seq_length(c, 1), 0);
    assert_int_equal(lm_seq_length(c, 0), 200);
    assert_int_equal(lm_seq_close(c, 0), LM_OK); /* kept as a prefix only while nobody needs the room */
    assert_int_equal(lm_context_eval_batch(c, &items[1], 1), LM_OK);
    lm_context_close(c);
    lm_model_close(model);
}

/* ---- cancelling ---- */

typedef struct canceller {
    lm_context *context;
    int after; /* operations until it cancels */
} canceller;

static void cancel_in_the_middle(void *user, int32_t n, lm_executor_task task, void *arg) {
    canceller *c = user;
    if (c->context && c->after-- == 0) lm_context_cancel(c->context);
    for (int32_t i = 0; i < n; i++) task(arg, i);
}

static void cancelled_work_leaves_no_trace(void **state) {
    (void)state;
    canceller canceller = {NULL, 0};
    lm_executor executor = {&canceller, cancel_in_the_middle};
    lm_runtime_params runtime_params = LM_RUNTIME_PARAMS_INIT;
    lm_model_params model_params = LM_MODEL_PARAMS_INIT;
    lm_model *model = NULL;
    lm_token text[100];
    runtime_params.executor = &executor;
    runtime_params.n_threads = 2;
    assert_int_equal(lm_runtime_create(&runtime_params, &model_params.runtime, NULL), LM_OK);
    assert_int_equal(lm_model_open(small_path(), &model_params, &model, NULL), LM_OK);
    lm_runtime_destroy(model_params.runtime);
    lm_context_params params = params_of(256, 1, 1);
    params.n_batch = 32; /* several batches: the first ones must be taken back, too */
    lm_context *c = small_context(model, params), *fresh = small_context(model, params);
    small_text(5, text, 100);
    assert_int_equal(lm_context_eval(c, text, 3), LM_OK);
    int n_cancelled = 0;
    for (lm_status status = LM_ERR_CANCELLED; status == LM_ERR_CANCELLED; n_cancelled++) {
        canceller.context = c;
        canceller.after = 5 * n_cancelled;
        status = lm_context_eval(c, text + 3, 97);
        canceller.context = NULL;
        if (canceller.after < 0) assert_int_equal(status, LM_ERR_CANCELLED);
        if (status != LM_ERR_CANCELLED) break;
        assert_int_equal(lm_seq_length(c, 0), 3);
        assert_null(lm_context_logits(c));
    }
    assert_true(n_cancelled > 3);
    assert_int_equal(lm_seq_trim(c, 0, 3), LM_OK);
    lm_context_cancel(c); /* without work in progress: nothing */
    lm_context_cancel(NULL);
    assert_int_equal(lm_context_eval(c, text + 3, 97), LM_OK);
    assert_int_equal(lm_context_eval(fresh, text, 100), LM_OK);
    assert_memory_equal(lm_context_logits(c), lm_context_logits(fresh), ROW);
    lm_context_close(c);
    lm_context_close(fresh);
    lm_model_close(model);
}

/* ---- sequences ---- */

static void sequence_calls_check_their_arguments(void **state) {
    (void)state;
    lm_model *model = small_model(NULL, 1);
    lm_context *c = small_context(model, params_of(128, 2, 2));
    lm_token text[10], bad = -5;
    lm_sync_info info = {.struct_size = sizeof info};
    lm_memory memory = {.struct_size = 0};
    small_text(1, text, 10);
    assert_int_equal(lm_context_eval(c, text, 10), LM_OK);
    assert_int_equal(lm_seq_length(c, 2), -1);
    assert_int_equal(lm_seq_length(c, -1), -1);
    assert_null(lm_seq_tokens(c, 2));
    assert_int_equal(lm_seq_fork(c, 0, 2), LM_ERR_RANGE);
    assert_int_equal(lm_seq_fork(c, 5, 0), LM_ERR_RANGE);
    assert_int_equal(lm_seq_fork(c, 0, 0), LM_OK);
    assert_int_equal(lm_seq_trim(c, 0, 11), LM_ERR_RANGE);
    assert_int_equal(lm_seq_trim(c, 2, 0), LM_ERR_RANGE);
    assert_int_equal(lm_seq_trim(c, 0, 10), LM_OK);
    assert_int_equal(lm_seq_close(c, 2), LM_ERR_RANGE);
    assert_int_equal(lm_context_sync(c, 0, text, 0, &info), LM_ERR_ARGUMENT);
    assert_int_equal(lm_context_sync(c, 0, NULL, 3, &info), LM_ERR_ARGUMENT);
    assert_int_equal(lm_context_sync(c, 7, text, 3, &info), LM_ERR_RANGE);
    assert_int_equal(lm_context_sync(c, 0, &bad, 1, &info), LM_ERR_RANGE);
    assert_int_equal(lm_seq_save(c, 0, NULL), LM_ERR_ARGUMENT);
    assert_int_equal(lm_seq_save(c, 9, "x"), LM_ERR_RANGE);
    assert_int_equal(lm_seq_save(c, 0, "/no/such/folder/file"), LM_ERR_NOT_FOUND);
    assert_int_equal(lm_seq_restore(c, 0, "/no/such/file"), LM_ERR_NOT_FOUND);
    assert_int_equal(lm_context_memory(c, &memory), LM_ERR_ARGUMENT);
    assert_int_equal(lm_context_memory(NULL, &memory), LM_ERR_ARGUMENT);
    assert_int_equal(lm_seq_length(NULL, 0), -1);
    assert_int_equal(lm_seq_fork(NULL, 0, 1), LM_ERR_ARGUMENT);
    lm_context_close(c);
    lm_model_close(model);
}

static void sync_says_what_it_reused(void **state) {
    (void)state;
    lm_model *model = small_model(NULL, 1);
    lm_context *c = small_context(model, params_of(512, 2, 2));
    lm_token text[300];
    lm_sync_info info = {.struct_size = sizeof info};
    small_text(6, text, 300);
    assert_int_equal(lm_context_sync(c, 0, text, 200, &info), LM_OK);
    assert_int_equal(info.n_reused, 0);
    assert_int_equal(info.n_evaluated, 200);
    assert_int_equal(info.reason, LM_SYNC_REASON_UNKNOWN);
    assert_int_equal(lm_context_sync(c, 0, text, 300, &info), LM_OK); /* the next turn costs its new tokens */
    assert_int_equal(info.n_reused, 200);
    assert_int_equal(info.n_evaluated, 100);
    assert_int_equal(lm_context_sync(c, 0, text, 300, &info), LM_OK); /* nothing new: the last token for its logits */
    assert_int_equal(info.n_evaluated, 1);
    assert_int_equal(info.reason, LM_SYNC_REASON_NONE);
    assert_int_equal(lm_context_sync(c, 1, text, 250, &info), LM_OK); /* another sequence finds the first one's pages */
    assert_true(info.n_from_cache >= 192);
    assert_int_equal(info.n_reused + info.n_evaluated, 250);
    text[100] = text[100] == 5 ? 6 : 5;
    assert_int_equal(lm_context_sync(c, 0, text, 300, NULL), LM_OK);
    assert_int_equal(lm_seq_length(c, 0), 300);
    assert_memory_equal(lm_seq_tokens(c, 0), text, sizeof text);
    lm_context_close(c);
    lm_model_close(model);
}

static void saved_sequences_are_checked(void **state) {
    (void)state;
    char path[] = "./lm-context-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    lm_model *model = small_model(NULL, 1);
    lm_context *c = small_context(model, params_of(128, 2, 2));
    lm_context_params wide = params_of(128, 2, 2);
    wide.k_type = LM_DTYPE_F32;
    lm_context *other = small_context(model, wide), *small = small_context(model, params_of(32, 2, 2));
    lm_token text[70];
    size_t size = 0;
    small_text(7, text, 70);
    assert_int_equal(lm_context_eval(c, text, 70), LM_OK);
    assert_int_equal(lm_seq_save(c, 0, path), LM_OK);
    assert_int_equal(lm_context_eval(other, text, 2), LM_OK);
    assert_int_equal(lm_seq_restore(other, 0, path), LM_ERR_MISMATCH); /* another cache type */
    assert_int_equal(lm_seq_length(other, 0), 2);
    lm_status status = lm_seq_restore(small, 0, path);
    assert_true(status == LM_ERR_FULL || status == LM_ERR_MISMATCH); /* too long for this context */
    char *bytes = test_read(path, &size);
    for (size_t at = 0; at < size; at += at < 256 ? 1 : 211) {
        FILE *file = fopen(path, "wb");
        char old = bytes[at];
        bytes[at] = (char)(old ^ 4);
        fwrite(bytes, 1, size, file);
        fclose(file);
        bytes[at] = old;
        status = lm_seq_restore(c, 1, path);
        if (status != LM_ERR_FORMAT && (status != LM_ERR_UNSUPPORTED || at != 7) && status != LM_ERR_MISMATCH &&
            status != LM_ERR_FULL)
            fail_msg("byte %zu: %s %s", at, lm_status_name(status), lm_context_message(c));
        assert_true(lm_context_message(c)[0] != '\0');
        assert_int_equal(lm_seq_length(c, 1), 0);
    }
    for (size_t n = 0; n < size; n += n < 256 ? 7 : 503) {
        FILE *file = fopen(path, "wb");
        fwrite(bytes, 1, n, file);
        fclose(file);
        assert_int_equal(lm_seq_restore(c, 1, path), LM_ERR_FORMAT);
    }
    free(bytes);
    unlink(path);
    lm_context_close(c);
    lm_context_close(other);
    lm_context_close(small);
    lm_model_close(model);
}

/* ---- memory ---- */

static uint64_t in_allocator(const lm_memory *m) {
    return m->copied_bytes + m->model_bytes + m->cache_bytes + m->work_bytes + m->context_bytes;
}

static void working_allocates_nothing(void **state) {
    (void)state;
    test_memory memory = {.fail_at = TEST_MEMORY_NEVER};
    lm_model *model = small_model(&memory, 2);
    lm_context_params params = params_of(256, 3, 64);
    params.n_batch = 48;
    lm_context *c = small_context(model, params);
    lm_sampler *sampler = NULL;
    lm_token text[200], token;
    lm_sync_info info = {.struct_size = sizeof info};
    small_text(8, text, 200);
    assert_int_equal(lm_sampler_for_model(model, NULL, &sampler, NULL), LM_OK);
    assert_int_equal(lm_sample(c, sampler, &token), LM_ERR_STATE); /* nothing evaluated yet */
    size_t calls = memory.calls, live = memory.live_bytes;
    assert_int_equal(lm_context_eval(c, text, 100), LM_OK);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(lm_sample(c, sampler, &token), LM_OK);
        assert_int_equal(lm_context_eval(c, &token, 1), LM_OK);
    }
    assert_int_equal(lm_seq_fork(c, 0, 1), LM_OK);
    const lm_batch_item items[] = {
        {0, LM_LOGITS_ALL, text, 20}, {1, LM_LOGITS_LAST, text + 50, 70}, {2, LM_LOGITS_NONE, text, 99}};
    assert_int_equal(lm_context_eval_batch(c, items, 3), LM_OK);
    assert_int_equal(lm_seq_trim(c, 1, 77), LM_OK);
    assert_int_equal(lm_context_sync(c, 1, text, 180, &info), LM_OK);
    assert_int_equal(lm_seq_close(c, 2), LM_OK);
    assert_int_equal(lm_context_sync(c, 2, text, 200, &info), LM_OK);
    assert_int_equal(memory.calls, calls);
    assert_int_equal(memory.live_bytes, live);
    lm_sampler_destroy(sampler);
    lm_context_close(c);
    lm_model_close(model);
    assert_int_equal(memory.live_bytes, 0);
}

/* The report is what the allocator gave out since the runtime was made, to the byte, and planning says the same beforehand. */
static void reports_are_exact(void **state) {
    (void)state;
    const lm_context_params shapes[] = {params_of(0, 1, 0), params_of(100, 1, 1), params_of(512, 4, 64),
                                        params_of(3000, 2, 2)};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        test_memory memory = {.fail_at = TEST_MEMORY_NEVER};
        lm_runtime *runtime = small_runtime(&memory, 2);
        size_t before = memory.live_bytes;
        lm_plan plan = {.struct_size = sizeof plan};
        lm_plan_params plan_params = LM_PLAN_PARAMS_INIT;
        plan_params.runtime = runtime;
        plan_params.context = &shapes[i];
        plan_params.memory_bytes = 1 << 30;
        plan_params.bytes_per_second = 1000000000;
        lm_error error;
        assert_int_equal(lm_model_plan("", &plan_params, &plan, &error), LM_ERR_ARGUMENT);
        assert_string_equal(error.message, "the path is empty");
        assert_int_equal(lm_model_plan(small_path(), &plan_params, &plan, NULL), LM_OK);
        assert_int_equal(memory.live_bytes, before);
        lm_model_params model_params = LM_MODEL_PARAMS_INIT;
        lm_model *model = NULL;
        lm_memory report = {.struct_size = sizeof report};
        model_params.runtime = runtime;
        assert_int_equal(lm_model_open(small_path(), &model_params, &model, NULL), LM_OK);
        lm_context *c = small_context(model, shapes[i]);
        assert_int_equal(lm_context_memory(c, &report), LM_OK);
        assert_int_equal(memory.live_bytes - before, in_allocator(&report));
        assert_memory_equal(&plan.memory, &report, sizeof report);
        assert_int_equal(plan.total_bytes, in_allocator(&report) + report.weights_bytes);
        assert_true(plan.fits && plan.resident_share == 1 && plan.n_ctx_fitting > 0 &&
                    plan.tokens_per_second > plan.tokens_per_second_full);
        plan_params.memory_bytes = plan.total_bytes - 1;
        assert_int_equal(lm_model_plan(small_path(), &plan_params, &plan, NULL), LM_OK);
        assert_int_equal(plan.fits, 0);
        assert_true(plan.resident_share > 0.99 && plan.resident_share < 1);
        plan_params.memory_bytes = plan.total_bytes - plan.memory.weights_bytes / 4 * 3;
        assert_int_equal(lm_model_plan(small_path(), &plan_params, &plan, NULL), LM_OK);
        assert_true(plan.resident_share > 0.249 && plan.resident_share < 0.251);
        plan_params.memory_bytes = 1000;
        assert_int_equal(lm_model_plan(small_path(), &plan_params, &plan, NULL), LM_OK);
        assert_true(plan.resident_share == 0);
        lm_context_close(c);
        lm_model_close(model);
        model_params.load = LM_LOAD_READ;
        assert_int_equal(lm_model_open(small_path(), &model_params, &model, NULL), LM_OK);
        c = small_context(model, shapes[i]);
        assert_int_equal(lm_context_memory(c, &report), LM_OK);
        assert_true(report.copied_bytes > report.weights_bytes); /* the file */
        assert_int_equal(memory.live_bytes - before, in_allocator(&report));
        lm_context_close(c);
        lm_model_close(model);
        lm_runtime_destroy(runtime);
        assert_int_equal(memory.live_bytes, 0);
    }
}

/* Whole words of what the grammar leaves no choice about, as many as there is room for; the sampler goes on behind them. */
static void forced_text_comes_as_its_tokens(void **state) {
    (void)state;
    static const char rule[] = "root ::= \"the library reads words of texts and waits for \" [ab]";
    static const char text[] = "the library reads words of texts and waits for ";
    char path[1024];
    lm_model *model;
    lm_grammar *grammar;
    lm_grammar_vocab *vocab;
    lm_grammar_matcher *matcher;
    assert_true(test_path("LM_GOLDEN", "session/chat.gguf", path, sizeof path));
    assert_int_equal(lm_model_open(path, NULL, &model, NULL), LM_OK);
    lm_context *context = small_context(model, params_of(128, 1, 1));
    assert_int_equal(lm_grammar_from_gbnf(rule, sizeof rule - 1, NULL, &grammar, NULL), LM_OK);
    assert_int_equal(lm_grammar_vocab_for_model(model, &vocab, NULL), LM_OK);
    assert_int_equal(lm_grammar_matcher_create(grammar, vocab, NULL, &matcher, NULL), LM_OK);
    for (size_t cap = 1; cap <= 64; cap *= 2) {
        lm_sampler *sampler;
        lm_token tokens[65] = {1}, expected[64];
        char got[256] = "";
        size_t used = 0, n = 99;
        assert_int_equal(lm_sampler_for_model(model, NULL, &sampler, NULL), LM_OK);
        assert_int_equal(lm_sampler_set_grammar(sampler, matcher), LM_OK);
        assert_int_equal(lm_seq_trim(context, 0, 0), LM_OK);
        assert_int_equal(lm_context_eval(context, tokens, 1), LM_OK);
        assert_int_equal(lm_sample(context, sampler, tokens), LM_OK);
        assert_int_equal(lm_sample_forced(context, sampler, tokens + 1, 0, &n), LM_OK);
        assert_int_equal(n, 0);
        assert_int_equal(lm_sample_forced(context, sampler, tokens + 1, cap, &n), LM_OK);
        used = (size_t)lm_token_piece(model, tokens[0], 0, got, sizeof got);
        int32_t n_expected = lm_tokenize(model, text + used, sizeof text - 1 - used, 0, expected, 64);
        assert_in_range(n_expected, 10, 64);
        assert_in_range(n, 1, cap < (size_t)n_expected ? cap : (size_t)n_expected - 1);
        if (cap < 8) assert_int_equal(n, cap);
        assert_memory_equal(tokens + 1, expected, n * sizeof *tokens);
        assert_int_equal(lm_context_eval(context, tokens, n + 1), LM_OK);
        for (size_t i = 1; i <= n; i++)
            used += (size_t)lm_token_piece(model, tokens[i], 0, got + used, (int32_t)(sizeof got - used));
        if (cap == 64) assert_true(text[used] == ' '); /* the end of a word */
        while (lm_sample(context, sampler, tokens) == LM_OK && !lm_token_is_end(model, tokens[0])) {
            used += (size_t)lm_token_piece(model, tokens[0], 0, got + used, (int32_t)(sizeof got - used));
            assert_int_equal(lm_context_eval(context, tokens, 1), LM_OK);
        }
        assert_int_equal(used, sizeof text);
        assert_memory_equal(got, text, sizeof text - 1);
        assert_int_equal(lm_sample_forced(NULL, sampler, tokens, 1, &n), LM_ERR_ARGUMENT);
        assert_int_equal(lm_sample_forced(context, NULL, tokens, 1, &n), LM_ERR_ARGUMENT);
        assert_int_equal(lm_sample_forced(context, sampler, NULL, 1, &n), LM_ERR_ARGUMENT);
        assert_int_equal(lm_sample_forced(context, sampler, tokens, 1, NULL), LM_ERR_ARGUMENT);
        lm_sampler_destroy(sampler);
    }
    lm_grammar_matcher_destroy(matcher);
    lm_grammar_vocab_destroy(vocab);
    lm_grammar_destroy(grammar);
    lm_context_close(context);
    lm_model_close(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opening_refuses_wrong_parameters),
        cmocka_unit_test(a_context_keeps_its_model),
        cmocka_unit_test(errors_leave_the_sequence_as_it_was),
        cmocka_unit_test(rows_are_numbered_by_items),
        cmocka_unit_test(a_small_cache_is_full_for_a_second_sequence),
        cmocka_unit_test(cancelled_work_leaves_no_trace),
        cmocka_unit_test(sequence_calls_check_their_arguments),
        cmocka_unit_test(sync_says_what_it_reused),
        cmocka_unit_test(saved_sequences_are_checked),
        cmocka_unit_test(working_allocates_nothing),
        cmocka_unit_test(reports_are_exact),
        cmocka_unit_test(forced_text_comes_as_its_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
