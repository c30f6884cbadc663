/* SPDX-License-Identifier: MIT */
/**
 * Sampler: turns a row of logits into the next token.
 *
 *     lm_sampler_params params = LM_SAMPLER_PARAMS_INIT;
 *     lm_sampler_vocab vocab = LM_SAMPLER_VOCAB_INIT;
 *     params.temperature = 0.7f;
 *     vocab.n_vocab = 151936;
 *     if (lm_sampler_create(&params, &vocab, &sampler, &error) != LM_OK) return puts(error.message);
 *     for (;;) {
 *         // compute logits
 *         if (lm_sampler_pick(sampler, logits, 151936, &token) != LM_OK) break;
 *         lm_sampler_accept(sampler, token);
 *     }
 *     lm_sampler_destroy(sampler);
 *
 * A sampler is a chain: logit biases, then the members named by params.order, then one member that selects. It holds all
 * state of one generation: histories, random generators, adaptive averages. Equal parameters, logits and seed give equal
 * tokens on every platform: no result depends on the C library's mathematics. One thread at a time per sampler.
 */
#ifndef LM_SAMPLER_H
#define LM_SAMPLER_H

#include "base.h"

LM_BEGIN_DECLS

typedef struct lm_sampler lm_sampler;

/** The seed that asks for a random one; lm_sampler_seed tells which was taken. */
#define LM_SEED_RANDOM UINT32_C(0xFFFFFFFF)

/* Bounds checked by lm_sampler_create. */
#define LM_SAMPLER_MAX_HISTORY 1048576 /* repeat_last_n, dry_last_n */
#define LM_SAMPLER_MAX_MEMBERS 64      /* names in order */
#define LM_SAMPLER_MAX_BREAKERS 256    /* dry_breakers */
#define LM_SAMPLER_MAX_TAG_TOKENS 4096 /* all reasoning tags together, and the forced sequence */

/** bias is added to the logit of token; -INFINITY forbids it. Several entries for one token add up. */
typedef struct lm_logit_bias {
    lm_token token;
    float bias;
} lm_logit_bias;

/** A sequence of tokens, borrowed. */
typedef struct lm_token_span {
    const lm_token *tokens;
    size_t count;
} lm_token_span;

/**
 * What a sampler needs to know about a vocabulary. Functions not needed by the chosen members may be NULL. user, the
 * functions and the texts they return are used until the sampler and its clones are destroyed.
 *
 *   n_vocab     length of the largest logits row, [1, 2^24]
 *   eot, eos    end-of-turn and end-of-sequence ids or LM_TOKEN_NONE              (infill)
 *   suppressed  [n_suppressed] ids never to be picked; read by create only
 *   piece       text of a token and its length; special != 0: control tokens have their text too, else they are empty.
 *               The bytes stay valid as long as user does.                         (dry, infill, reasoning budget)
 *   tokenize    writes at most capacity ids of the plain text (no control tokens parsed or added) and returns how many the
 *               whole text has, or a negative number on failure                    (dry)
 *   is_eog      non-zero when the token ends a generation                          (infill, ignore_eos)
 */
typedef struct lm_sampler_vocab {
    uint32_t struct_size;
    int32_t n_vocab;
    lm_token eot, eos;
    const lm_token *suppressed;
    size_t n_suppressed;
    void *user;
    const char *(*piece)(void *user, lm_token token, int32_t special, size_t *length);
    int32_t (*tokenize)(void *user, const char *text, size_t length, lm_token *out, size_t capacity);
    int32_t (*is_eog)(void *user, lm_token token);
} lm_sampler_vocab;

#define LM_SAMPLER_VOCAB_INIT                                                                                          \
    { sizeof(lm_sampler_vocab), 0, LM_TOKEN_NONE, LM_TOKEN_NONE, NULL, 0, NULL, NULL, NULL, NULL }

/**
 * Everything that can be chosen. Pointers are read by lm_sampler_create only. All numbers must be finite.
 *
 * order names the members, separated by ';' or ',', upper or lower case, '_' written, written as '-' or left out:
 *   penalties (e)  dry (d)  top_n_sigma (s)  top_k (k)  typ_p, typ (y)  top_p, nucleus (p)  min_p (m)  xtc (x)
 *   temperature, temp (t)  infill (i)  adaptive_p (a)
 * or one letter each without separators ("edskypmxt"). Repetition and omission are allowed. NULL means
 * "penalties;dry;top_n_sigma;top_k;typ_p;top_p;min_p;xtc;temperature". adaptive_p anywhere in it replaces the final draw.
 * infill belongs after top_k and top_p: it looks at the 256 most likely entries and drops the others.
 * mirostat 1 or 2 replaces the whole list by temperature and mirostat.
 */
typedef struct lm_sampler_params {
    uint32_t struct_size;
    uint32_t seed;        /* LM_SEED_RANDOM */
    const char *order;    /* NULL: the default order */
    float temperature;    /* <= 0 picks the most likely token */
    float dynatemp_range; /* > 0: the temperature moves by up to this with the entropy; else off */
    float dynatemp_exponent;
    int32_t top_k;              /* keep the k largest; <= 0 off */
    float top_p;                /* >= 0; >= 1 off */
    float min_p;                /* relative to the largest probability; <= 0 off */
    float typical_p;            /* >= 0; >= 1 off */
    float top_n_sigma;          /* <= 0 off */
    float xtc_probability;      /* <= 0 off */
    float xtc_threshold;        /* > 0.5 off */
    int32_t min_keep;           /* >= 0: top_p, min_p, typ_p and xtc leave at least so many */
    int32_t repeat_last_n;      /* 0 .. LM_SAMPLER_MAX_HISTORY tokens that the penalties look at; 0 off */
    float repeat_penalty;       /* > 0 with a finite reciprocal; 1 neutral */
    float frequency_penalty;    /* 0 neutral */
    float presence_penalty;     /* 0 neutral */
    float dry_multiplier;       /* 0 off */
    float dry_base;             /* < 1 off */
    int32_t dry_allowed_length; /* >= 0 */
    int32_t dry_last_n;         /* 0 .. LM_SAMPLER_MAX_HISTORY; 0 off */
    const char *const
        *dry_breakers; /* [n_dry_breakers] texts; NULL: "\n" ":" "\"" "*"; cut to 40 bytes, empty ones skipped */
    size_t n_dry_breakers;
    int32_t mirostat;   /* 0, 1 or 2 */
    float mirostat_tau; /* > 0 */
    float mirostat_eta;
    float adaptive_target;       /* < 0: plain draw */
    float adaptive_decay;        /* 0 .. 0.99 */
    const lm_logit_bias *biases; /* [n_biases] */
    size_t n_biases;
    int32_t ignore_eos;                  /* non-zero: no end-of-generation token is ever picked */
    int32_t n_probs;                     /* >= 0: alternatives to report, see lm_sampler_candidates */
    int32_t probs_after;                 /* non-zero: report the final candidate list instead of the raw distribution */
    int32_t reasoning_budget;            /* tokens between the reasoning tags; -1 unlimited, 0 end at once */
    lm_token_span reasoning_start;       /* the start tag; count 0: no reasoning control at all */
    const lm_token_span *reasoning_ends; /* [n_reasoning_ends] end tags, at least one */
    size_t n_reasoning_ends;
    lm_token_span reasoning_forced; /* emitted when the budget is used up; count 0: the first end tag */
    lm_allocator allocator;         /* alloc NULL: the C heap */
} lm_sampler_params;

#define LM_SAMPLER_PARAMS_INIT                                                                                         \
    {                                                                                                                  \
        sizeof(lm_sampler_params), LM_SEED_RANDOM, NULL, 0.8f, 0.0f, 1.0f, 40, 0.95f, 0.05f, 1.0f, -1.0f, 0.0f, 0.1f,  \
            0, 64, 1.0f, 0.0f, 0.0f, 0.0f, 1.75f, 2, 64, NULL, 0, 0, 5.0f, 0.1f, -1.0f, 0.9f, NULL, 0, 0, 0, 0, -1,    \
            {NULL, 0}, NULL, 0, {NULL, 0}, {                                                                           \
            NULL, NULL, NULL                                                                                           \
        }                                                                                                              \
    }

/** One reported alternative. */
typedef struct lm_token_prob {
    lm_token token;
    float p;       /* probability */
    float logprob; /* its natural logarithm, exact enough where p has become 0 */
} lm_token_prob;

/**
 * Make a sampler. params NULL means the defaults; vocab must have an n_vocab.
 *
 * LM_OK, LM_ERR_ARGUMENT or LM_ERR_RANGE (a parameter, named in error->message), LM_ERR_LIMIT (n_vocab), LM_ERR_MEMORY.
 * Everything picking and accepting needs is allocated here: about 20 bytes per vocabulary entry. Since 0.1
 */
LM_API lm_status lm_sampler_create(const lm_sampler_params *params, const lm_sampler_vocab *vocab, lm_sampler **out,
                                   lm_error *error);

struct lm_model;

/**
 * The same for a model's vocabulary. The model must outlive the sampler. params NULL means the defaults, and where the model's
 * file recommends values (general.sampling.*) those; params given are taken as they are. Since 0.1
 */
LM_API lm_status lm_sampler_for_model(struct lm_model *model, const lm_sampler_params *params, lm_sampler **out, lm_error *error);

/** Give everything back. NULL is allowed. Since 0.1 */
LM_API void lm_sampler_destroy(lm_sampler *sampler);

/** An independent sampler in exactly the same state, random generators included. LM_OK or LM_ERR_MEMORY. Since 0.1 */
LM_API lm_status lm_sampler_clone(const lm_sampler *sampler, lm_sampler **out);

struct lm_grammar_matcher;

/**
 * Let only tokens through that a grammar allows. The sampler follows a copy of matcher (grammar.h), which must have the same
 * vocabulary; NULL removes the grammar. The grammar is applied before everything else, so nothing is ever drawn twice.
 * lm_sampler_accept then fails with LM_ERR_MISMATCH for a token the grammar does not allow, and like lm_sampler_pick with LM_ERR_LIMIT or
 * LM_ERR_MEMORY where lm_grammar_matcher_accept_token and lm_grammar_matcher_mask do; nothing is entered then. LM_OK, LM_ERR_ARGUMENT (no sampler,
 * a matcher without vocabulary), LM_ERR_MEMORY. Since 0.1
 */
LM_API lm_status lm_sampler_set_grammar(lm_sampler *sampler, const struct lm_grammar_matcher *matcher);

/**
 * How many tokens may still be generated, the end token included; -1: any number. Accepting generated tokens counts it down. A
 * sampler with a grammar then ends in time: where what would be chosen left too little room to complete the text, it chooses the
 * next token of a shortest completion instead (lm_grammar_matcher_completion), and an end token when the text is complete. With
 * less room than a shortest completion takes there is nothing it can do. Without a grammar the limit changes nothing.
 * LM_OK or LM_ERR_ARGUMENT. Since 0.1
 */
LM_API lm_status lm_sampler_set_limit(lm_sampler *sampler, int32_t n_tokens);

/** Back to the state after create: histories empty, generators started again from the same seed, no limit. A grammar stays, at the start
 *  of its text. Since 0.1 */
LM_API void lm_sampler_reset(lm_sampler *sampler);

/** The seed in use, never LM_SEED_RANDOM; 0 without a sampler. Since 0.1 */
LM_API uint32_t lm_sampler_seed(const lm_sampler *sampler);

/**
 * Choose the next token. The choice is not accepted yet: call lm_sampler_accept with the token that is really used.
 *
 *   logits  [n_vocab] floats, only read; n_vocab is at most the one given at creation
 *
 * LM_OK, LM_ERR_ARGUMENT (n_vocab), or LM_ERR_RANGE when a logit is NaN or +infinity or no candidate is left; then
 * nothing is chosen, *out is untouched and random numbers may have been drawn only if logits became unusable inside the
 * chain. Allocates nothing. Since 0.1
 */
LM_API lm_status lm_sampler_pick(lm_sampler *sampler, const float *logits, size_t n_vocab, lm_token *out);

/**
 * Run the chain without its selecting member, in place: changed logits are written back, removed tokens become -infinity.
 * The softmax of the result is what the final draw sees. Statuses as lm_sampler_pick. Since 0.1
 */
LM_API lm_status lm_sampler_apply(lm_sampler *sampler, float *logits, size_t n_vocab);

/** Enter a generated token into all histories. LM_OK, or LM_ERR_RANGE for an id outside the vocabulary. Since 0.1 */
LM_API lm_status lm_sampler_accept(lm_sampler *sampler, lm_token token);

/**
 * Enter prompt tokens: the penalties and dry see them, the reasoning budget does not, except for the last n_prefill
 * tokens: the generation prompt, which may open a reasoning block.
 *
 *   tokens  [n_tokens]; n_prefill <= n_tokens
 *
 * LM_OK, LM_ERR_ARGUMENT (n_prefill), or LM_ERR_RANGE for an id outside the vocabulary; nothing is entered on error.
 * Since 0.1
 */
LM_API lm_status lm_sampler_accept_prompt(lm_sampler *sampler, const lm_token *tokens, size_t n_tokens,
                                          size_t n_prefill);

/**
 * The most likely tokens of the last pick, best first, and the picked one: softmax of the raw logits, or of the final
 * candidate list with params.probs_after.
 *
 *   candidates  receives an array borrowed until the next call that changes the sampler; may be NULL
 *   n           receives its length, at most params.n_probs; may be NULL
 *   picked      receives the picked token's own values; may be NULL
 *
 * LM_OK, or LM_ERR_STATE when params.n_probs is 0 or the last pick failed or there was none; leaves lm_sampler_message as it is. Since 0.1
 */
LM_API lm_status lm_sampler_candidates(const lm_sampler *sampler, const lm_token_prob **candidates, size_t *n,
                                       lm_token_prob *picked);

/** Close an open reasoning block now: the forced sequence follows. LM_OK, or LM_ERR_STATE when none is open. Since 0.1 */
LM_API lm_status lm_sampler_end_reasoning(lm_sampler *sampler);

/** The sentence of the last failed call on this sampler, "" when none failed. Borrowed until the next call. Since 0.1 */
LM_API const char *lm_sampler_message(const lm_sampler *sampler);

LM_END_DECLS
#endif
