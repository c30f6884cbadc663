/* SPDX-License-Identifier: MIT
 * Qwen3-Coder, Qwen3.5, Nemotron 3, StepFun 3.5: <tool_call><function=NAME><parameter=KEY>value</parameter></function>
 * </tool_call>; the outer tag may be missing. */
#include "output_family.h"
#include "output_xml.h"

static bool step(lm_output *output) {
    static const lm_xml_syntax syntax = {.starts = {"<tool_call>", "<function="},
                                         .n_sections = 1,
                                         .name_ends = {">"},
                                         .parameter = "<parameter=",
                                         .key_ends = {">"},
                                         .key_types = "?",
                                         .value_close = "</parameter>",
                                         .call_closes = {"</function>"},
                                         .section_closes = {"</tool_call>"},
                                         .trims_lines = true};
    return lm_xml_step(output, &syntax);
}

const lm_output_family lm_family_qwen_xml = {"qwen3-xml", step, "<think>", "</think>", NULL};
