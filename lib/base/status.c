/* SPDX-License-Identifier: MIT
 * Names of the status codes. */
#include <lm/base.h>

const char *lm_status_name(int32_t status) {
    static const char *const names[] = {"OK",        "MEMORY",      "ARGUMENT", "RANGE",     "IO",
                                        "FORMAT",    "UNSUPPORTED", "FULL",     "CANCELLED", "STATE",
                                        "NOT_FOUND", "LIMIT",       "MISMATCH", "DEVICE",    "RAISED"};
    return status >= 0 && status < (int32_t)(sizeof names / sizeof *names) ? names[status] : "UNKNOWN";
}
