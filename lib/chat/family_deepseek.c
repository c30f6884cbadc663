/* SPDX-License-Identifier: MIT
 * DeepSeek: R1 and V3 write a type word, the name and a fenced block between special tokens, V3.1 name and bare JSON, V3.2
 * and V4 DSML tags. Models deviate in the special tokens, so their spellings with spaces and underscores count too. */
#include <string.h>

#include "output_family.h"
#include "output_json.h"
#include "output_xml.h"

#define BAR "\xEF\xBD\x9C"
#define GAP "\xE2\x96\x81"
#define DSML BAR "DSML" BAR

static bool read_header(lm_output *output, const char *header, size_t n, lm_str *name, lm_str *id) {
    (void)id;
    if (lm_str_append(name, header, n) != LM_OK) output->status = LM_ERR_MEMORY;
    return true;
}

static bool step(lm_output *output) {
    static const lm_headed_json tokens = {
        .starts = {"<" BAR "tool" GAP "calls" GAP "begin" BAR ">", "<" BAR "tool_calls_begin" BAR ">",
                   "<" BAR "tool calls begin" BAR ">", "<" BAR "tool" GAP "calls" BAR ">",
                   "<" BAR "tool" GAP "call" GAP "begin" BAR ">", "<" BAR "tool_call_begin" BAR ">",
                   "<" BAR "tool call begin" BAR ">"},
        .n_sections = 4,
        .separators = {"<" BAR "tool" GAP "sep" BAR ">", "<" BAR "tool_sep" BAR ">", "<" BAR "tool sep" BAR ">"},
        .ends = {"<" BAR "tool" GAP "call" GAP "end" BAR ">", "<" BAR "tool_call_end" BAR ">",
                 "<" BAR "tool call end" BAR ">", "<" BAR "tool" GAP "calls" GAP "end" BAR ">",
                 "<" BAR "tool_calls_end" BAR ">", "<" BAR "tool calls end" BAR ">",
                 "<" BAR "end" GAP "of" GAP "sentence" BAR ">"},
        .type_word = "function",
        .sections_call = true,
        .read_header = read_header};
    static const lm_xml_syntax tags = {
        .starts = {"<" DSML "function_calls>", "<" DSML "tool_calls>", "<" DSML "invoke name=\""},
        .n_sections = 2,
        .name_ends = {"\">"},
        .parameter = "<" DSML "parameter name=\"",
        .key_ends = {"\" string=\"true\">", "\" string=\"false\">", "\">"},
        .key_types = "sj?",
        .value_close = "</" DSML "parameter>",
        .call_closes = {"</" DSML "invoke>"},
        .section_closes = {"</" DSML "function_calls>", "</" DSML "tool_calls>"}};
    static const char *const starts[] = {"<" DSML "function_calls>",
                                         "<" DSML "tool_calls>",
                                         "<" DSML "invoke name=\"",
                                         "<" BAR "tool" GAP "calls" GAP "begin" BAR ">",
                                         "<" BAR "tool_calls_begin" BAR ">",
                                         "<" BAR "tool calls begin" BAR ">",
                                         NULL};
    static const char *const all[] = {"<" DSML "function_calls>",
                                      "<" DSML "tool_calls>",
                                      "<" DSML "invoke name=\"",
                                      "<" BAR "tool" GAP "calls" GAP "begin" BAR ">",
                                      "<" BAR "tool_calls_begin" BAR ">",
                                      "<" BAR "tool calls begin" BAR ">",
                                      "<" BAR "tool" GAP "calls" BAR ">",
                                      "<" BAR "tool" GAP "call" GAP "begin" BAR ">",
                                      "<" BAR "tool_call_begin" BAR ">",
                                      "<" BAR "tool call begin" BAR ">",
                                      NULL};
    bool stepped, advanced = lm_output_step_reasoning(output, starts, &stepped);
    size_t which;
    if (stepped) return advanced;
    if (output->state == LM_STATE_TEXT) {
        if (!lm_output_text_until(output, LM_OUTPUT_CONTENT, all, &which)) return false;
        output->in_list = which >= 3; /* which engine takes over; the engines do not use it */
    }
    return output->in_list ? lm_headed_json_step(output, &tokens) : lm_xml_step(output, &tags);
}

const lm_output_family lm_family_deepseek = {"deepseek", step, "<think>", "</think>", NULL};
