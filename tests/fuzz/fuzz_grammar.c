/* SPDX-License-Identifier: MIT
 * Any bytes as a GBNF grammar: refused with a sentence, or compiled; then text is fed to it, masks are taken on a vocabulary
 * of the single bytes, and each must say what accepting the byte says. */
#include <stdint.h>
#include <stdlib.h>

#include "fuzz_matcher.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    lm_grammar *grammar;
    lm_error error = {0};
    lm_status status = lm_grammar_from_gbnf((const char *)data, size, NULL, &grammar, &error);
    if (status != LM_OK && !error.message[0]) abort();
    if (status == LM_OK) fuzz_matcher(grammar, data, size);
    return 0;
}
