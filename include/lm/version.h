/* SPDX-License-Identifier: MIT */
/**
 * The version of liblm: the only place where it is written.
 *
 * Numbers follow semantic versioning: a larger minor number only adds names, a larger major number may break them and
 * comes with a new shared-library name. lm_version() (runtime.h) gives the numbers of the library actually loaded.
 */
#ifndef LM_VERSION_H
#define LM_VERSION_H

#define LM_VERSION_MAJOR 0
#define LM_VERSION_MINOR 1
#define LM_VERSION_PATCH 0

#endif
