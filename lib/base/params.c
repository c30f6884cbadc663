/* SPDX-License-Identifier: MIT
 * The size-prefix rule: copy what both sides know, refuse what only the caller knows and has set. */
#include "params.h"

#include <string.h>

#include "format.h"

lm_status lm_params_read(void *out, size_t out_size, const void *params, const char *name, lm_error *error) {
    if (!params) return LM_OK;
    uint32_t given, own = (uint32_t)out_size;
    memcpy(&given, params, sizeof given);
    if (given < sizeof given)
        return lm_error_set(error, LM_ERR_ARGUMENT, "%s: struct_size %u is not set (start from the _INIT value)", name,
                            (unsigned)given);
    const unsigned char *bytes = params;
    for (size_t i = own; i < given; i++)
        if (bytes[i])
            return lm_error_set(error, LM_ERR_ARGUMENT, "%s: byte %zu is set, but this library knows only %u bytes",
                                name, i, (unsigned)own);
    memcpy(out, params, given < own ? given : own);
    memcpy(out, &own, sizeof own);
    return LM_OK;
}

void lm_params_write(void *out, const void *own, size_t own_size) {
    uint32_t given;
    memcpy(&given, out, sizeof given);
    memcpy((char *)out + sizeof given, (const char *)own + sizeof given,
           (given < own_size ? given : own_size) - sizeof given);
}
