/* SPDX-License-Identifier: MIT */
/**
 * The built-in model: a few million weights inside a library of their own, liblm-box, so that liblm itself stays small. It
 * makes the first lines of a program run before there is a model file, and tests honest. It knows a few hundred facts,
 * small sums, spelling, sorting, extraction into JSON and tools (examples/box/README.md), English only.
 *
 *     #include <lm/lm.h>
 *     #include <lm/box.h>          // link with -llm-box -llm
 *
 *     lm_model *model;
 *     if (lm_model_open_builtin(NULL, &model, &error) != LM_OK) puts(error.message);
 */
#ifndef LM_BOX_H
#define LM_BOX_H

#include "base.h"
#include "model.h"

/* Define LM_STATIC when linking the static library on Windows. */
#if defined(_WIN32) && !defined(LM_STATIC)
#ifdef LM_BOX_BUILDING
#define LM_BOX_API __declspec(dllexport)
#else
#define LM_BOX_API __declspec(dllimport)
#endif
#elif defined(__GNUC__)
#define LM_BOX_API __attribute__((visibility("default")))
#else
#define LM_BOX_API
#endif

LM_BEGIN_DECLS

/**
 * Open the model that is embedded in liblm-box. Its bytes are used in place: they are part of the library's file, mapped and
 * shared like its code, and nothing is copied.
 *
 *   params   may be NULL; load, prefetch and lock do what they do for lm_model_open_memory
 *
 * LM_OK, LM_ERR_ARGUMENT, LM_ERR_MEMORY. Close it with lm_model_close before the library is unloaded. Since 0.1
 */
LM_BOX_API lm_status lm_model_open_builtin(const lm_model_params *params, lm_model **out, lm_error *error);

LM_END_DECLS
#endif
