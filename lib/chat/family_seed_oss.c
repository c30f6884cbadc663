/* SPDX-License-Identifier: MIT
 * Seed-OSS: the tags of Qwen3-Coder in a block of its own. */
#include "output_family.h"
#include "output_xml.h"

static bool step(lm_output *output) {
    static const lm_xml_syntax syntax = {.starts = {"<seed:tool_call>", "<function="},
                                         .n_sections = 1,
                                         .name_ends = {">"},
                                         .parameter = "<parameter=",
                                         .key_ends = {">"},
                                         .key_types = "?",
                                         .value_close = "</parameter>",
                                         .call_closes = {"</function>"},
                                         .section_closes = {"</seed:tool_call>"},
                                         .trims_lines = true};
    return lm_xml_step(output, &syntax);
}

const lm_output_family lm_family_seed_oss = {"seed-oss", step, "<seed:think>", "</seed:think>", NULL};
