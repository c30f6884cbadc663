/* SPDX-License-Identifier: MIT
 * Kimi K2: calls with the id functions.NAME:INDEX between special tokens, in a section. */
#include <string.h>

#include "output_family.h"
#include "output_json.h"

/* functions.NAME:INDEX, all of which is the id */
static bool read_header(lm_output *output, const char *header, size_t n, lm_str *name, lm_str *id) {
    size_t from = n > 10 && memcmp(header, "functions.", 10) == 0 ? 10 : 0, to = n;
    while (to > from && header[to - 1] >= '0' && header[to - 1] <= '9') to--;
    if (to == n || to == from || header[to - 1] != ':') to = n + 1;
    if (lm_str_append(name, header + from, to - 1 - from) != LM_OK || lm_str_append(id, header, n) != LM_OK)
        output->status = LM_ERR_MEMORY;
    return true;
}

static bool step(lm_output *output) {
    static const lm_headed_json syntax = {
        .starts = {"<|tool_calls_section_begin|>", "<|tool_call_section_begin|>", "<|tool_call_begin|>"},
        .n_sections = 2,
        .separators = {"<|tool_call_argument_begin|>"},
        .ends = {"<|tool_call_end|>", "<|tool_calls_section_end|>", "<|tool_call_section_end|>"},
        .read_header = read_header};
    return lm_headed_json_step(output, &syntax);
}

const lm_output_family lm_family_kimi = {"kimi-k2", step, "<think>", "</think>", NULL};
