/* SPDX-License-Identifier: MIT */
/**
 * Grammars: which texts may be generated. A grammar is compiled once from GBNF or from a JSON Schema; a matcher follows one
 * text through it and says which tokens may come next.
 *
 *     lm_grammar *grammar;
 *     lm_grammar_matcher *matcher;
 *     size_t n_viable;
 *     if (lm_grammar_from_json_schema(schema, n, NULL, &grammar, &error) != LM_OK) report(&error);
 *     lm_grammar_matcher_create(grammar, vocab, NULL, &matcher, &error);
 *     while (generating) {
 *         lm_grammar_matcher_mask(matcher, mask, n_words);
 *         token = pick_one_whose_bit_is_set(logits, mask);
 *         lm_grammar_matcher_accept_token(matcher, token);
 *     }
 *     lm_grammar_matcher_destroy(matcher);
 *     lm_grammar_destroy(grammar);
 *
 * lm_grammar and lm_grammar_vocab are immutable and may be shared by any number of threads; a matcher belongs to one thread
 * at a time. Grammars and schemas may come from anywhere: hostile ones end with a status. Text is UTF-8, matched byte by
 * byte and strictly: a grammar never lets malformed UTF-8 through, and a token may end inside a character.
 */
#ifndef LM_GRAMMAR_H
#define LM_GRAMMAR_H

#include "base.h"

LM_BEGIN_DECLS

typedef struct lm_grammar lm_grammar;
typedef struct lm_grammar_vocab lm_grammar_vocab;
typedef struct lm_grammar_matcher lm_grammar_matcher;

/** JSON Schema only: generate JSON without any white space between its parts. */
#define LM_GRAMMAR_COMPACT ((uint32_t)1)

/** Longest text that is read, in bytes: LM_ERR_LIMIT above. */
#define LM_GRAMMAR_TEXT_MAX ((size_t)16 << 20)

typedef struct lm_grammar_params {
    uint32_t struct_size;
    uint32_t flags;                /* LM_GRAMMAR_COMPACT */
    const lm_allocator *allocator; /* copied; NULL: the C heap. Matchers of the grammar use it too */
    void *user;                    /* for find_token */
    /* GBNF only: the token that text (such as "<|call|>") is, or LM_TOKEN_NONE. NULL: such grammars are refused */
    lm_token (*find_token)(void *user, const char *text, size_t n);
} lm_grammar_params;
#define LM_GRAMMAR_PARAMS_INIT                                                                                         \
    { sizeof(lm_grammar_params), 0, NULL, NULL, NULL }

/**
 * Compile a GBNF grammar; the start rule is "root".
 *
 *   text    [n] bytes of UTF-8, not kept
 *   params  NULL for the defaults
 *
 * LM_OK, or LM_ERR_FORMAT (with line and offset: syntax, an undefined rule, left recursion, nothing can match),
 * LM_ERR_LIMIT (groups nested deeper than 256, more than 65536 rules, an automaton of more than a million states),
 * LM_ERR_UNSUPPORTED (a token by its text without find_token), LM_ERR_ARGUMENT, LM_ERR_MEMORY. Since 0.1
 */
LM_API lm_status lm_grammar_from_gbnf(const char *text, size_t n, const lm_grammar_params *params, lm_grammar **out,
                                      lm_error *error);

/**
 * Compile a JSON Schema (draft 2020-12 and what tools commonly write). Every text of the grammar is strict JSON and an
 * instance of the schema; properties come in the order of their declaration, and undeclared ones only where
 * additionalProperties allows them by name or no properties are declared at all. doc/grammars.md lists the keywords.
 *
 * LM_OK, or LM_ERR_UNSUPPORTED (a keyword that cannot be kept: the message names it and its JSON pointer; none is ever
 * ignored in silence), LM_ERR_FORMAT (not JSON, not a schema, or nothing can match), LM_ERR_LIMIT, LM_ERR_ARGUMENT,
 * LM_ERR_MEMORY. Since 0.1
 */
LM_API lm_status lm_grammar_from_json_schema(const char *json, size_t n, const lm_grammar_params *params,
                                             lm_grammar **out, lm_error *error);

/** One more reference; gives grammar back. Since 0.1 */
LM_API lm_grammar *lm_grammar_retain(lm_grammar *grammar);
/** Drop a reference; the last one frees. NULL is allowed. Since 0.1 */
LM_API void lm_grammar_destroy(lm_grammar *grammar);
/** Bytes held, masks cached for vocabularies included. Since 0.1 */
LM_API size_t lm_grammar_memory(const lm_grammar *grammar);

/** What a token is to a grammar. */
typedef enum lm_grammar_token_kind {
    LM_GRAMMAR_TOKEN_KIND_TEXT = 0,    /* matched by its bytes */
    LM_GRAMMAR_TOKEN_KIND_CONTROL = 1, /* matched by <...> elements, or where literals spell all of its bytes */
    LM_GRAMMAR_TOKEN_KIND_END = 2,     /* ends the generation: allowed when the text is complete */
    LM_GRAMMAR_TOKEN_KIND_UNUSED = 3   /* never allowed */
} lm_grammar_token_kind;

typedef struct lm_grammar_vocab_params {
    uint32_t struct_size;
    uint32_t n_tokens;             /* up to 16 million */
    const lm_allocator *allocator; /* copied; NULL: the C heap */
    size_t cache_bytes;            /* of masks, for each grammar used with the vocabulary */
    void *user;
    /* The bytes of a token as they appear in the text, special tokens written out; gives its lm_grammar_token_kind. Called
     * only during creation; the bytes are copied. A text token without bytes, or with a NUL among them, is never allowed */
    int32_t (*get)(void *user, lm_token token, const char **bytes, size_t *n);
} lm_grammar_vocab_params;
#define LM_GRAMMAR_VOCAB_PARAMS_INIT                                                                                   \
    { sizeof(lm_grammar_vocab_params), 0, NULL, (size_t)64 << 20, NULL, NULL }

/**
 * Sort a vocabulary for masking; once per model. About 40 bytes per token.
 *
 * LM_OK, or LM_ERR_ARGUMENT (no get), LM_ERR_LIMIT, LM_ERR_MEMORY. Since 0.1
 */
LM_API lm_status lm_grammar_vocab_create(const lm_grammar_vocab_params *params, lm_grammar_vocab **out,
                                         lm_error *error);
struct lm_model;

/**
 * The vocabulary of a model, with the tokens' kinds. The model is not needed afterwards.
 *
 * LM_OK, or LM_ERR_ARGUMENT, LM_ERR_UNSUPPORTED (the model has no texts), LM_ERR_MEMORY. Since 0.1
 */
LM_API lm_status lm_grammar_vocab_for_model(struct lm_model *model, lm_grammar_vocab **out, lm_error *error);
/** One more reference; gives vocab back. Since 0.1 */
LM_API lm_grammar_vocab *lm_grammar_vocab_retain(lm_grammar_vocab *vocab);
/** Drop a reference; NULL is allowed. Grammars keep the vocabularies they were used with until they are freed. Since 0.1 */
LM_API void lm_grammar_vocab_destroy(lm_grammar_vocab *vocab);

/** What starts a lazy matcher. */
typedef enum lm_grammar_trigger_kind {
    LM_GRAMMAR_TRIGGER_KIND_TOKEN = 0,   /* this token; it is the first the grammar sees */
    LM_GRAMMAR_TRIGGER_KIND_WORD = 1,    /* this text, anywhere; the grammar's text begins with it */
    LM_GRAMMAR_TRIGGER_KIND_PATTERN = 2, /* this regular expression, anywhere; the grammar's text begins at its first
                                                group that matched some text, else at the match. ECMA-262 without back
                                                references, word boundaries and lookaround; ^ and $ are the text's ends */
    LM_GRAMMAR_TRIGGER_KIND_PATTERN_FULL = 3 /* the same, but all of the text so far must match */
} lm_grammar_trigger_kind;

typedef struct lm_grammar_trigger {
    int32_t kind;     /* an lm_grammar_trigger_kind */
    lm_token token;   /* of a TOKEN trigger */
    const char *text; /* [text_size] of the others */
    size_t text_size;
} lm_grammar_trigger;

typedef struct lm_grammar_matcher_params {
    uint32_t struct_size;
    uint32_t reserved;                  /* 0 */
    const lm_grammar_trigger *triggers; /* [n_triggers]; any at all make the matcher lazy */
    size_t n_triggers;
} lm_grammar_matcher_params;
#define LM_GRAMMAR_MATCHER_PARAMS_INIT                                                                                 \
    { sizeof(lm_grammar_matcher_params), 0, NULL, 0 }

/**
 * A matcher at the start of the text. It keeps references to grammar and vocab. vocab may be NULL: then only bytes can be
 * accepted. A lazy matcher allows everything until one of its triggers occurs.
 *
 * After each token or call the triggers are looked for in all of the text so far: tokens, then the others in their order.
 * The first that occurs ends the waiting, and what was read from the trigger on is matched; if it cannot be, the token is
 * refused with LM_ERR_MISMATCH. Searching takes time linear in the text. At most 64 triggers; patterns up to 4096
 * instructions and 16 groups.
 *
 * LM_OK, or LM_ERR_ARGUMENT (also for a trigger's token that is not in vocab), LM_ERR_FORMAT and LM_ERR_UNSUPPORTED (a trigger's
 * text; error says which), LM_ERR_LIMIT,
 * LM_ERR_MEMORY. Since 0.1
 */
LM_API lm_status lm_grammar_matcher_create(lm_grammar *grammar, lm_grammar_vocab *vocab,
                                           const lm_grammar_matcher_params *params, lm_grammar_matcher **out,
                                           lm_error *error);
/** NULL is allowed. Since 0.1 */
LM_API void lm_grammar_matcher_destroy(lm_grammar_matcher *matcher);
/** An independent matcher at the same place. LM_OK or LM_ERR_MEMORY. Since 0.1 */
LM_API lm_status lm_grammar_matcher_clone(const lm_grammar_matcher *matcher, lm_grammar_matcher **out);
/** Back to the start of the text, awaiting its triggers again if it has any. LM_OK or LM_ERR_MEMORY. Since 0.1 */
LM_API lm_status lm_grammar_matcher_reset(lm_grammar_matcher *matcher);

/**
 * Go on by bytes, which need not end at a character's end.
 *
 *   n_viable  how many of the n bytes could begin a continuation; may be NULL. Written on LM_OK and LM_ERR_MISMATCH
 *
 * LM_OK, or LM_ERR_MISMATCH (n_viable < n; 0 when a lazy matcher refuses the text from its trigger on), LM_ERR_LIMIT (a
 * hopelessly ambiguous grammar: over two million steps for one byte), LM_ERR_MEMORY. On any error the matcher is as it was before. Since 0.1
 */
LM_API lm_status lm_grammar_matcher_accept_bytes(lm_grammar_matcher *matcher, const char *bytes, size_t n,
                                                 size_t *n_viable);
/**
 * Go on by one token. An END token is legal when the text is complete, and changes nothing.
 *
 * LM_OK, or LM_ERR_MISMATCH, LM_ERR_RANGE (no such token), LM_ERR_STATE (no vocabulary), LM_ERR_LIMIT, LM_ERR_MEMORY. On any
 * error the matcher is as it was before. Since 0.1
 */
LM_API lm_status lm_grammar_matcher_accept_token(lm_grammar_matcher *matcher, lm_token token);

/** 1 when the text may end here, else 0. Also 1 while a lazy matcher awaits a trigger. Since 0.1 */
LM_API int32_t lm_grammar_matcher_is_complete(const lm_grammar_matcher *matcher);
/** 1 while a lazy matcher has not met a trigger, else 0. Since 0.1 */
LM_API int32_t lm_grammar_matcher_is_waiting(const lm_grammar_matcher *matcher);

/**
 * Which tokens may come next: bit (id % 32) of mask[id / 32]. The bits past the last token are 0.
 *
 *   mask  [n_words], n_words >= (n_tokens + 31) / 32; words beyond that are set to 0
 *
 * LM_OK, or LM_ERR_ARGUMENT (n_words too small), LM_ERR_STATE (no vocabulary), LM_ERR_MEMORY, LM_ERR_LIMIT. What is
 * computed is cached in the grammar, for all its matchers, within the vocabulary's cache_bytes. Since 0.1
 */
LM_API lm_status lm_grammar_matcher_mask(lm_grammar_matcher *matcher, uint32_t *mask, size_t n_words);

/**
 * The bytes that must follow, whatever the model would say: written to out, and their number given (0 when there is a
 * choice, when the text may end, or when waiting). At most cap are found. The matcher stays where it is. Since 0.1
 */
LM_API size_t lm_grammar_matcher_forced(lm_grammar_matcher *matcher, char *out, size_t cap);

/**
 * A shortest text that completes what there is: its number of bytes, of which the first cap are written to out. 0 when the
 * text may end here; SIZE_MAX when none is known (the grammar wants whole tokens, or memory ran out). The matcher stays where it
 * is. lm_sampler_set_limit uses this to end in time. Since 0.1
 */
LM_API size_t lm_grammar_matcher_completion(lm_grammar_matcher *matcher, char *out, size_t cap);

/** Where the matcher is, for lm_grammar_matcher_rewind. Since 0.1 */
LM_API uint64_t lm_grammar_matcher_position(const lm_grammar_matcher *matcher);
/**
 * Go back to a position of the same text, for drafts that were not accepted. The last 4096 bytes of text can be taken back;
 * a lazy matcher can also go back to any position where it waited, in time proportional to the text before it.
 *
 * LM_OK, or LM_ERR_RANGE (not a position on the way here, or too far back). Since 0.1
 */
LM_API lm_status lm_grammar_matcher_rewind(lm_grammar_matcher *matcher, uint64_t position);

LM_END_DECLS
#endif
