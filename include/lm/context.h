/* SPDX-License-Identifier: MIT */
/**
 * lm_context: evaluating tokens. It holds the cache, the sequences in it and the logits of the last evaluation; one thread at a time
 * (except lm_context_cancel). Contexts of one model are independent and may run at once.
 *
 *     lm_context *context;
 *     lm_context_open(model, NULL, &context, &error);
 *     lm_context_eval(context, tokens, n_tokens);
 *     while (lm_sample(context, sampler, &token) == LM_OK && !lm_token_is_end(model, token))
 *         lm_context_eval(context, &token, 1);
 *     lm_context_close(context);
 *
 * For a given model and token sequence the logits are the same bytes whatever the thread count, the way the tokens were split into
 * calls, what else was evaluated with them, and whether their prefix came from the cache (doc/numerics.md).
 * Everything is reserved when the context is opened; evaluating and sampling allocate nothing.
 */
#ifndef LM_CONTEXT_H
#define LM_CONTEXT_H

#include "base.h"
#include "model.h"
#include "sampler.h"

LM_BEGIN_DECLS

typedef struct lm_context lm_context;

/** A sequence: an independent line of tokens, numbered [0, n_seqs). All exist from the start, empty. */
typedef int32_t lm_seq;

typedef struct lm_context_params {
    uint32_t struct_size;
    int32_t n_ctx;         /* positions of a sequence, up to 2^24; 0: what the model was trained for, at most 4096. Not more than a learned position table has */
    int32_t n_seqs;        /* sequences, [1, 4096] */
    int32_t n_batch;       /* tokens evaluated together at most, up to 65536; 0: 512. Never changes a result */
    int32_t n_outputs;     /* rows of logits or hidden states one call may ask for; 0: n_seqs, or n_batch with LM_OUTPUT_HIDDEN */
    int32_t k_type, v_type; /* cache element types, lm_dtype: F16 (default), F32, BF16, Q8_0, Q4_0 */
    int32_t n_threads;     /* for this context's evaluations; 0, or more than the runtime has: all of it */
    int32_t n_checkpoints; /* see "checkpoints" below; -1: 8 per sequence; 0: none */
    uint64_t cache_bytes;  /* budget of the cache; 0: what n_seqs sequences of n_ctx positions need. Finished prefixes stay until it is used up */
    int32_t outputs;       /* what an evaluation gives: LM_OUTPUT_* or'ed; 0: POOLED for encoders, LOGITS for others */
    int32_t pooling;       /* an lm_pooling, for LM_OUTPUT_POOLED; with NONE, rows of LM_OUTPUT_HIDDEN take its place */
    int32_t n_draft;       /* tokens that speculate.h may propose at once, [0, 64]; n_outputs and n_batch are at least one more */
} lm_context_params;

#define LM_CONTEXT_PARAMS_INIT \
    {sizeof(lm_context_params), 0, 1, 0, 0, LM_DTYPE_F16, LM_DTYPE_F16, 0, -1, 0, 0, LM_POOLING_DEFAULT, 0}

/**
 * Encoders (bert and its like) and poolings other than LAST look at a whole text: a sequence must then be empty when its tokens are
 * evaluated, and all of them must fit one batch (n_batch is n_ctx by default then). Encoders have no logits and keep their keys and
 * values in F32 for the length of a call only: k_type and v_type are without effect.
 */
typedef enum lm_output {
    LM_OUTPUT_LOGITS = 1,
    LM_OUTPUT_HIDDEN = 2, /* after the last norm: rows of n_embd floats for the same tokens as logits */
    LM_OUTPUT_POOLED = 4, /* one row per item: its tokens' rows pooled, then the heads the model has after pooling */
    LM_OUTPUT_DRAFT = 8   /* with LOGITS: the model's own draft block (multi-token prediction) follows the text; see lm_context_draft_logits */
} lm_output;

/**
 * Open a context on a model, which it keeps alive. params may be NULL.
 *
 * LM_OK, LM_ERR_ARGUMENT (a parameter, also what is no cache type; a model opened with vocab_only), LM_ERR_UNSUPPORTED (a cache type that
 * the widths of this model's keys or values do not allow, an output it does not have), LM_ERR_FULL (cache_bytes is less than one sequence
 * needs), LM_ERR_LIMIT (a cache of more than 2^30 pages), LM_ERR_MEMORY. Since 0.1
 */
LM_API lm_status lm_context_open(lm_model *model, const lm_context_params *params, lm_context **out, lm_error *error);

/** NULL is allowed. Since 0.1 */
LM_API void lm_context_close(lm_context *context);

/** The sentence of the last failed call on this context, "" before any. Borrowed until the next call. Since 0.1 */
LM_API const char *lm_context_message(const lm_context *context);

/** The parameters in force, defaults filled in except cache_bytes (lm_context_memory has what it came to). LM_OK or LM_ERR_ARGUMENT. Since 0.1 */
LM_API lm_status lm_context_get_params(const lm_context *context, lm_context_params *params);

/* ---- evaluating ---- */

/**
 * Append tokens to sequence 0; lm_context_logits then gives the row of the last one.
 *
 *   tokens  [n_tokens] ids in [0, n_vocab); n_tokens may be 0: nothing happens
 *
 * LM_OK, LM_ERR_RANGE (an id), LM_ERR_FULL (n_ctx, or the cache is taken by other sequences), LM_ERR_CANCELLED, LM_ERR_DEVICE; for whole
 * texts (lm_output) also LM_ERR_STATE (the sequence is not empty) and LM_ERR_FULL (n_batch). On any error the sequence is as it was (where
 * a device's memory had to be given up for that, the next call evaluates some of its tokens again before its own: after a cancelled
 * decode step of a recurrent model). Allocates nothing. Since 0.1
 */
LM_API lm_status lm_context_eval(lm_context *context, const lm_token *tokens, size_t n_tokens);

typedef enum lm_logits {
    LM_LOGITS_NONE = 0, /* fill the cache only */
    LM_LOGITS_LAST = 1, /* one row: of the last token */
    LM_LOGITS_ALL = 2   /* one row per token */
} lm_logits;

/** Tokens to append to one sequence. */
typedef struct lm_batch_item {
    lm_seq seq;
    int32_t logits;         /* an lm_logits */
    const lm_token *tokens; /* [n_tokens] */
    size_t n_tokens;
} lm_batch_item;

/**
 * Append tokens to several sequences at once; a sequence may occur once. Rows of logits are numbered in the order of the items and, inside
 * an item, of its tokens. Statuses as lm_context_eval; also LM_ERR_ARGUMENT (an item) and LM_ERR_FULL (more rows than n_outputs). Since 0.1
 */
LM_API lm_status lm_context_eval_batch(lm_context *context, const lm_batch_item *items, size_t n_items);

/** Number of logits rows of the last evaluation, and one of them: [n_vocab] floats, borrowed until the next evaluation; NULL when there is
 *  none. lm_context_logits is the last row. Since 0.1 */
LM_API size_t lm_context_logits_count(const lm_context *context);
LM_API const float *lm_context_logits_row(const lm_context *context, size_t row);
LM_API const float *lm_context_logits(const lm_context *context);

/**
 * A row of hidden states of the last evaluation, numbered like logits: [n_embd] floats; NULL when there is none or LM_OUTPUT_HIDDEN was
 * not asked. Borrowed until the next evaluation. Since 0.1
 */
LM_API const float *lm_context_hidden(const lm_context *context, size_t row);

/**
 * What the model's draft block predicts for the token after the next: a row beside every row of logits, [n_vocab] floats; NULL when there is
 * none, without LM_OUTPUT_DRAFT, and in contexts with n_draft > 0, whose drafts LM_DRAFTER_MTP (speculate.h) makes as it needs them. The
 * block reads token t and the hidden state after token t-1. Its keys, values and last hidden state belong to the sequence: they are shared,
 * checkpointed and saved with it, and make the context behave like a recurrent model's (see "checkpoints"). Borrowed until the next
 * evaluation. Since 0.1
 */
LM_API const float *lm_context_draft_logits(const lm_context *context, size_t row);

/**
 * The pooled row of an item of the last evaluation: [lm_context_pooled_width] floats, not normalised; NULL when there is none. Borrowed until
 * the next evaluation. The width is n_embd, or what the model's heads make of it, or with RANK the number of its labels; 0 without
 * LM_OUTPUT_POOLED. Since 0.1
 */
LM_API const float *lm_context_pooled(const lm_context *context, size_t item);
LM_API size_t lm_context_pooled_width(const lm_context *context);

/**
 * Choose the next token from the last row of logits and enter it into the sampler's histories. Evaluating it is the caller's next step.
 *
 * LM_OK, LM_ERR_STATE (nothing evaluated yet), or a status of lm_sampler_pick. Allocates nothing. Since 0.1
 */
LM_API lm_status lm_sample(lm_context *context, lm_sampler *sampler, lm_token *out);

/**
 * The tokens that must come now because the sampler's grammar leaves no choice, entered into its histories: the caller evaluates them
 * together with the token before them, in one batch, instead of choosing each. Call it before that token is evaluated.
 *
 *   out  [cap] tokens; *n of them are written, often 0. The last forced bytes are left to lm_sample, as the next token may
 *        reach beyond them
 *
 * LM_OK, LM_ERR_ARGUMENT, LM_ERR_MEMORY. Since 0.1
 */
LM_API lm_status lm_sample_forced(lm_context *context, lm_sampler *sampler, lm_token *out, size_t cap, size_t *n);

/** Stop the evaluation in progress, from any thread: it returns LM_ERR_CANCELLED within one operation. Without one, nothing. Since 0.1 */
LM_API void lm_context_cancel(lm_context *context);

/* ---- making a sequence what it should be ---- */

/*
 * Checkpoints. Layers without recurrence and windows remember every position, so a sequence can go on from any prefix. Recurrent layers
 * only know their state at the end, and a sliding window forgets what it left. For these models the context keeps checkpoints:
 *
 *   - 16 tokens before the end of every prompt given to lm_context_sync: templates put a header of that size at most behind the last
 *     message, and chats rendered again (thinking text removed) differ from there on
 *   - where lm_context_mark says, the boundary between two messages for instance
 *   - along a recurrent model's context, every n_ctx / (half of n_checkpoints per sequence) tokens, at least 512: the price of a change
 *     in the middle of a long prompt is bounded
 *
 * A checkpoint of a recurrent model is a copy of its state, for all prefixes that begin with the same tokens (19 MB for 0.8B, 50 MB for 4B
 * and 150 MB for 27B parameters in the Qwen3.5 family; lm_plan counts n_checkpoints + 1 + n_seqs of them). Where there are only
 * windows it is no copy: the window's pages of the last checkpoint stay (one window per sequence is reserved for that). The least
 * recently used checkpoint makes room for a new one. Going back costs the tokens since the last checkpoint before the change.
 */

typedef enum lm_sync_reason {
    LM_SYNC_REASON_NONE = 0,      /* everything but the last token was reused */
    LM_SYNC_REASON_UNKNOWN = 1,   /* no sequence or cached page continues like this */
    LM_SYNC_REASON_WINDOW = 2,    /* known, but a sliding window's pages before that point are gone */
    LM_SYNC_REASON_CHECKPOINT = 3 /* known, but recurrent state was kept only at an earlier point */
} lm_sync_reason;

typedef struct lm_sync_info {
    uint32_t struct_size;
    int32_t reason;       /* an lm_sync_reason: why not more was reused */
    int32_t n_reused;     /* positions taken from the sequence or the prefix cache */
    int32_t n_evaluated;  /* tokens evaluated now */
    int32_t n_known;      /* leading tokens found in the sequence or the cache */
    int32_t n_from_cache; /* of n_reused: beyond what the sequence itself held */
    int32_t checkpoint;   /* position of the checkpoint recurrent layers resumed from, -1 for none */
} lm_sync_info;

/**
 * Make the sequence exactly these tokens, reusing the longest prefix known and evaluating the rest; logits of the last token follow.
 * This is the call for chats: pass the whole history each turn.
 *
 *   tokens  [n_tokens], n_tokens >= 1
 *   info    receives what was reused and why not more; may be NULL
 *
 * Statuses as lm_context_eval; LM_ERR_ARGUMENT for n_tokens 0. On error the sequence is the reused prefix. Since 0.1
 */
LM_API lm_status lm_context_sync(lm_context *context, lm_seq seq, const lm_token *tokens, size_t n_tokens, lm_sync_info *info);

/**
 * Keep a checkpoint when evaluation of this sequence passes a position: the number of tokens before it. Good positions are the starts of
 * messages. At most 16 marks wait per sequence, a further one replaces the oldest; marks of positions already passed do nothing (the
 * present end is kept at once). Marks are forgotten when their position is passed and when the sequence is closed, trimmed or restored.
 *
 * LM_OK, or LM_ERR_RANGE (sequence, or position > n_ctx). Never changes a result. Allocates nothing. Since 0.1
 */
LM_API lm_status lm_context_mark(lm_context *context, lm_seq seq, size_t position);

/* ---- sequences ---- */

/** Tokens in the sequence, -1 for a number that is no sequence. Since 0.1 */
LM_API int32_t lm_seq_length(const lm_context *context, lm_seq seq);
/** The sequence's tokens, borrowed until it changes. Since 0.1 */
LM_API const lm_token *lm_seq_tokens(const lm_context *context, lm_seq seq);

/** Make `to` a copy of `from`; memory is shared until one of them grows. LM_OK, LM_ERR_RANGE, LM_ERR_DEVICE. Since 0.1 */
LM_API lm_status lm_seq_fork(lm_context *context, lm_seq from, lm_seq to);

/**
 * Drop the tokens from position n_tokens on. Recurrent layers and windows that moved on go back to the last checkpoint; the next
 * evaluation of the sequence begins with the tokens since then, whose results are the same bytes as before.
 *
 * LM_OK, LM_ERR_RANGE (the sequence is unchanged), or LM_ERR_DEVICE (it is shortened, and evaluated again from its start). Since 0.1
 */
LM_API lm_status lm_seq_trim(lm_context *context, lm_seq seq, size_t n_tokens);

/** Empty the sequence. Its finished pages stay in the prefix cache while there is room. LM_OK or LM_ERR_RANGE. Since 0.1 */
LM_API lm_status lm_seq_close(lm_context *context, lm_seq seq);

/**
 * Write a sequence to a file: versioned, checksummed, portable between machines (doc/formats.md). Written beside and renamed. Its last
 * two checkpoints go along, with their recurrent state and windows. What a trimmed sequence has to evaluate again is evaluated first (statuses of
 * lm_context_eval).
 * LM_OK, LM_ERR_ARGUMENT (also for an empty path), LM_ERR_RANGE, LM_ERR_NOT_FOUND (no such folder), LM_ERR_IO, LM_ERR_MEMORY. Since 0.1
 */
LM_API lm_status lm_seq_save(lm_context *context, lm_seq seq, const char *path);

/**
 * Replace the sequence by one that was saved. Evaluation continues with the same bytes as if it had never left memory. Logits were not
 * saved: lm_context_sync with the same tokens evaluates the last of them for that.
 *
 * The file is not trusted. Its shape is checked before anything changes; its numbers cannot be, so they stay with this sequence and forks
 * of it: no other sequence ever reuses them as a prefix, whatever its tokens, and after lm_seq_close, or a sync that shares nothing with
 * them, neither does this one. Whoever may write the file decides what the model says in this sequence, and in no other.
 *
 * LM_OK, LM_ERR_ARGUMENT (also for an empty path), LM_ERR_RANGE, LM_ERR_NOT_FOUND, LM_ERR_IO, LM_ERR_FORMAT (truncated, altered or no saved sequence), LM_ERR_UNSUPPORTED (saved by a later
 * version in another format), LM_ERR_MISMATCH (another model, other adapters, cache types or n_ctx), LM_ERR_FULL, LM_ERR_MEMORY. The sequence is unchanged on error, or empty after LM_ERR_FULL and after an error of
 * the file system or a device while its contents were being replaced. Since 0.1
 */
LM_API lm_status lm_seq_restore(lm_context *context, lm_seq seq, const char *path);

/* ---- memory ---- */

/** Bytes in use, exact. */
typedef struct lm_memory {
    uint32_t struct_size;
    uint64_t weights_bytes;   /* mapped or borrowed weights, shared by all contexts */
    uint64_t copied_bytes;    /* weights copied to devices or read into memory */
    uint64_t model_bytes;     /* the model object: directory, vocabulary */
    uint64_t cache_bytes;     /* pages and states reserved */
    uint64_t work_bytes;      /* activations and scratch */
    uint64_t context_bytes;   /* tables and buffers of the context */
    int64_t n_pages, n_pages_free, n_pages_cached; /* of the first layer group: reserved, free, held only by the prefix cache */
} lm_memory;

/** LM_OK or LM_ERR_ARGUMENT. Since 0.1 */
LM_API lm_status lm_context_memory(const lm_context *context, lm_memory *memory);

typedef struct lm_plan_params {
    uint32_t struct_size;
    const lm_context_params *context; /* NULL: defaults */
    lm_runtime *runtime;              /* NULL: a default one */
    uint64_t memory_bytes;            /* what may be used; 0: what the machine has available */
    uint64_t bytes_per_second;        /* read bandwidth of the machine; 0: unknown, speeds are 0 */
} lm_plan_params;

#define LM_PLAN_PARAMS_INIT {sizeof(lm_plan_params), NULL, NULL, 0, 0}

typedef struct lm_plan {
    uint32_t struct_size;
    int32_t fits;               /* total_bytes <= memory_bytes */
    lm_memory memory;           /* what opening would take: the same code, counting */
    uint64_t total_bytes;
    uint64_t memory_bytes;      /* what it was compared with */
    int32_t n_ctx;              /* in force */
    int32_t n_ctx_fitting;      /* the longest context of one sequence that fits, 0 when none */
    double tokens_per_second;   /* decode at an empty cache, at the full read bandwidth: an upper bound */
    double tokens_per_second_full; /* the same with n_ctx positions in the cache */
    double resident_share;         /* of the weights, how much memory_bytes holds beside all else, 0 to 1; 1 when it fits. The rest is read
                                      from the file whenever it is used: with R bytes/s of memory and F of the file a token takes about
                                      active_bytes * (resident_share / R + (1 - resident_share) / F), and the two speeds above are no bound */
} lm_plan;

/**
 * Say what a model would need, from the file's header alone: weights are not touched.
 *
 * LM_OK, or a status of lm_model_open or lm_context_open. Since 0.1
 */
LM_API lm_status lm_model_plan(const char *path, const lm_plan_params *params, lm_plan *out, lm_error *error);

LM_END_DECLS
#endif
