/* SPDX-License-Identifier: MIT
 * Reading and filling the size-prefixed structs of the public interface. A struct begins with uint32_t struct_size and only
 * grows at its end, so a host built against an older or a newer header than the library still says what it means: missing
 * fields keep their defaults, and fields this library does not know are refused unless they are zero. */
#ifndef LM_BASE_PARAMS_H
#define LM_BASE_PARAMS_H

#include <lm/base.h>

/* out holds our defaults, struct_size included, and receives the caller's fields; params NULL leaves the defaults.
 * name is the struct's name, for the message. LM_ERR_ARGUMENT, with out untouched, when struct_size is too small to hold
 * itself or the unknown tail is not zero. Typical use:
 *
 *     lm_x_params own = LM_X_PARAMS_INIT;
 *     lm_status status = lm_params_read(&own, sizeof own, params, "lm_x_params", error);
 */
lm_status lm_params_read(void *out, size_t out_size, const void *params, const char *name, lm_error *error);

/* Fill a caller's struct, whose struct_size holds itself at least, as far as it goes; its struct_size stays. */
void lm_params_write(void *out, const void *own, size_t own_size);

#endif
