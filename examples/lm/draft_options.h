/* SPDX-License-Identifier: MIT
 * Speculative decoding as options. */
#ifndef LM_PROGRAM_DRAFT_OPTIONS_H
#define LM_PROGRAM_DRAFT_OPTIONS_H

#include "program.h"

#define DRAFT_MOST 64 /* proposals at once */

typedef struct draft_options {
    const char *from; /* "ngram", "mtp" or a model's file; NULL: no drafts */
    int32_t n_draft;  /* 0: as many as pay (draft_options_check fills it in) */
} draft_options;

/* What a generation holds for it. */
typedef struct drafting {
    lm_model *model; /* the smaller one, or NULL */
    lm_context *context;
    lm_speculator *speculator; /* NULL: no drafts */
} drafting;

/* 0, or the exit status after a message. */
int draft_options_check(const char *command_name, draft_options *options);
/* What a context needs, before it is opened. */
void draft_options_prepare(const draft_options *options, lm_context_params *params);
/* The speculator of the context's sequence 0. 0, or the exit status after a message. */
int drafting_begin(const char *command_name, lm_runtime *runtime, const draft_options *options, lm_context *context,
                   drafting *out);
/* "; 12 of 20 proposals right", or "". */
void drafting_report(const drafting *drafting, char *text, size_t size);
void drafting_end(drafting *drafting);

#endif
