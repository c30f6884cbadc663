/* SPDX-License-Identifier: MIT
 * Functionary 3.1 and Llama fine-tunes: <function=NAME>{json}</function>. */
#include "output_family.h"
#include "output_json.h"

static bool read_header(lm_output *output, const char *header, size_t n, lm_str *name, lm_str *id) {
    (void)id;
    if (lm_str_append(name, header, n) != LM_OK) output->status = LM_ERR_MEMORY;
    return true;
}

static bool step(lm_output *output) {
    static const lm_headed_json syntax = {.starts = {"<function="},
                                          .separators = {">"},
                                          .ends = {"</function>", "<|eot_id|>", "<|eom_id|>"},
                                          .read_header = read_header};
    return lm_headed_json_step(output, &syntax);
}

const lm_output_family lm_family_functionary = {"functionary", step, NULL, NULL, NULL};
