/* SPDX-License-Identifier: MIT
 * An open model: its bytes, the directory over them, hyper-parameters, tensor table, vocabulary. Immutable but for the reference
 * count and the spare tokenizer scratch. */
#ifndef LM_MODEL_MODEL_H
#define LM_MODEL_MODEL_H

#include <lm/model.h>

#include <stdatomic.h>

#include "../arch/arch.h"
#include "../base/arena.h"
#include "../gguf/gguf.h"
#include "../graph/graph_exec.h"
#include "../os/os.h"
#include "../runtime/runtime.h"
#include "../vocab/vocab.h"
#include "model_pieces.h"

/* The bytes of one file of the model. */
typedef struct lm_model_file {
    lm_os_mapping mapping;
    void *copy; /* LM_LOAD_READ: owned, copy_size bytes */
    size_t copy_size;
} lm_model_file;

struct lm_model {
    atomic_int references;
    const lm_env *env; /* the runtime's */
    lm_runtime *runtime;
    lm_model_file *files;
    uint32_t n_files, n_files_reserved;
    lm_gguf *gguf;
    lm_arena names;     /* NUL-terminated copies of names and keys */
    lm_tensor *tensors; /* [n_tensors], parallel to the directory */
    const char **keys;  /* [n_values] */
    size_t n_tensors, n_keys;
    const lm_arch *arch;
    const char *architecture, *name;
    lm_hparams hparams; /* of a vocab_only model: the vocabulary's size alone */
    bool vocab_only;
    bool has_draft; /* a complete draft block that the family knows */
    lm_vocab *vocab;
    _Atomic(lm_vocab_scratch *) scratch; /* one spare, for lm_tokenize */
    _Atomic(lm_pieces *) pieces;         /* built on demand */
    lm_placement *placements;            /* [n_placements] devices in use, with their weights */
    int32_t n_placements, n_placements_reserved;
    int32_t *layer_placement; /* [n_layers_all + 2] of what comes before the blocks, each block, what comes after */
    uint64_t copied_bytes;    /* of weights, to devices */
};

/* params are checked and complete. path, which may be NULL, is where the other files of a split model are looked for. */
lm_status lm_model_open_file(const lm_os_file *file, const char *path, const lm_model_params *params, lm_model **out,
                             lm_error *error);
lm_status lm_model_open_bytes(const void *bytes, size_t n, const lm_model_params *params, lm_model **out,
                              lm_error *error);
/* Choose devices for the blocks of a program and hand them the weights; lm_model_unplace gives them back. */
lm_status lm_model_place(lm_model *model, const lm_program *program, lm_error *error);
void lm_model_unplace(lm_model *model);
void lm_model_hold(lm_model *model);
void lm_model_release(lm_model *model);
/* The tensors of a directory, their names copied to an arena: *n of them, from lm_alloc_array. */
lm_status lm_model_list_tensors(const lm_env *env, const lm_gguf *gguf, lm_arena *names, lm_tensor **out, size_t *n,
                                lm_error *error);
lm_arch_source lm_model_source(const lm_model *model);
/* A tensor of which a token reads n_experts_used of n_experts parts. */
bool lm_model_is_experts(const lm_model *model, const lm_tensor *tensor);
/* Whether the runtime can run every operation of a program of this model; else LM_ERR_UNSUPPORTED. */
lm_status lm_model_check_ops(const lm_model *model, const lm_program *program, lm_error *error);
/* A number that two different models are unlikely to share: checksum of the metadata, the tensor directory and a sample of the weights. */
uint64_t lm_model_fingerprint(const lm_model *model);
/* Bytes of memory the object holds besides weights; bytes of files read into memory and of weights copied to devices. */
uint64_t lm_model_memory(const lm_model *model);
uint64_t lm_model_copied(const lm_model *model);

#endif
