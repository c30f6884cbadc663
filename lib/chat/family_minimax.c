/* SPDX-License-Identifier: MIT
 * MiniMax M2: <invoke> and <parameter> tags in a block. */
#include "output_family.h"
#include "output_xml.h"

static bool step(lm_output *output) {
    static const lm_xml_syntax syntax = {.starts = {"<minimax:tool_call>", "<invoke name=\""},
                                         .n_sections = 1,
                                         .name_ends = {"\">"},
                                         .parameter = "<parameter name=\"",
                                         .key_ends = {"\">"},
                                         .key_types = "?",
                                         .value_close = "</parameter>",
                                         .call_closes = {"</invoke>"},
                                         .section_closes = {"</minimax:tool_call>"}};
    return lm_xml_step(output, &syntax);
}

const lm_output_family lm_family_minimax = {"minimax-m2", step, "<think>", "</think>", NULL};
