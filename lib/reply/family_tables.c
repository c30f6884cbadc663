/* SPDX-License-Identifier: MIT
 * The families that are nothing but a table for one of the engines, and the one without any calls. */
#include <string.h>

#include "reply_family.h"
#include "reply_json.h"
#include "reply_xml.h"

/* Qwen 2.5, Qwen 3, QwQ, Hermes and many others: <tool_call>{"name": ..., "arguments": {...}}</tool_call> */
static const lm_tagged_json hermes = {
    .opens = LM_WORDS("<tool_call>"), .closes = LM_WORDS("</tool_call>"), .list = true};
const lm_reply_family lm_family_hermes = {.name = "qwen3",
                                          .step = lm_tagged_json_family_step,
                                          .reasoning_open = "<think>",
                                          .reasoning_close = "</think>",
                                          .syntax = &hermes};

/* Granite 3: <|tool_call|>[{...}, {...}] */
static const lm_tagged_json granite = {
    .opens = LM_WORDS("<|tool_call|>\0<tool_call>"), .closes = LM_WORDS("</tool_call>"), .list = true};
const lm_reply_family lm_family_granite = {.name = "granite",
                                           .step = lm_tagged_json_family_step,
                                           .reasoning_open = "<think>",
                                           .reasoning_close = "</think>",
                                           .syntax = &granite};

/* Command R7B, A and the Cohere 2 MoE: a JSON list between action marks; text and thinking have marks of their own. */
static const lm_tagged_json cohere = {
    .opens = LM_WORDS("<|START_ACTION|>"), .closes = LM_WORDS("<|END_ACTION|>"), .list = true};
const lm_reply_family lm_family_cohere = {
    .name = "cohere",
    .step = lm_tagged_json_family_step,
    .reasoning_open = "<|START_THINKING|>",
    .reasoning_close = "<|END_THINKING|>",
    .syntax = &cohere,
    .drops = LM_WORDS("<|START_RESPONSE|>\0<|END_RESPONSE|>\0<|START_TEXT|>\0<|END_TEXT|>")};

/* Apertus: a list of objects whose only member is named after the tool: [{"NAME": {arguments}}] */
static const lm_tagged_json apertus = {
    .opens = LM_WORDS("<|tools_prefix|>"), .closes = LM_WORDS("<|tools_suffix|>"), .list = true, .name_is_key = true};
const lm_reply_family lm_family_apertus = {.name = "apertus",
                                           .step = lm_tagged_json_family_step,
                                           .reasoning_open = "<|inner_prefix|>",
                                           .reasoning_close = "<|inner_suffix|>",
                                           .syntax = &apertus};

/* Nemotron Nano v2: <TOOLCALL>[{...}]</TOOLCALL> */
static const lm_tagged_json nemotron = {
    .opens = LM_WORDS("<TOOLCALL>"), .closes = LM_WORDS("</TOOLCALL>"), .list = true};
const lm_reply_family lm_family_nemotron = {.name = "nemotron",
                                            .step = lm_tagged_json_family_step,
                                            .reasoning_open = "<think>",
                                            .reasoning_close = "</think>",
                                            .syntax = &nemotron};

/* Functionary 3.1 and Llama fine-tunes: <function=NAME>{json}</function> */
static const lm_headed_json functionary = {.starts = LM_WORDS("<function="),
                                           .separators = LM_WORDS(">"),
                                           .ends = LM_WORDS("</function>\0<|eot_id|>\0<|eom_id|>")};
const lm_reply_family lm_family_functionary = {
    .name = "functionary", .step = lm_headed_json_family_step, .syntax = &functionary};

/* Kimi K2: calls with the id functions.NAME:INDEX between special tokens, in a section. */
static void read_kimi_header(lm_reply *reply, const char *header, size_t n, lm_str *name, lm_str *id) {
    size_t from = n > 10 && memcmp(header, "functions.", 10) == 0 ? 10 : 0, to = n;
    while (to > from && header[to - 1] >= '0' && header[to - 1] <= '9') to--;
    if (to == n || to == from || header[to - 1] != ':') to = n + 1;
    if (lm_str_append(name, header + from, to - 1 - from) != LM_OK || lm_str_append(id, header, n) != LM_OK)
        reply->status = LM_ERR_MEMORY;
}
static const lm_headed_json kimi = {
    .starts = LM_WORDS("<|tool_calls_section_begin|>\0<|tool_call_section_begin|>\0<|tool_call_begin|>"),
    .n_sections = 2,
    .separators = LM_WORDS("<|tool_call_argument_begin|>"),
    .ends = LM_WORDS("<|tool_call_end|>\0<|tool_calls_section_end|>\0<|tool_call_section_end|>"),
    .read_header = read_kimi_header};
const lm_reply_family lm_family_kimi = {.name = "kimi-k2",
                                        .step = lm_headed_json_family_step,
                                        .reasoning_open = "<think>",
                                        .reasoning_close = "</think>",
                                        .syntax = &kimi};

/* Qwen3-Coder, Qwen3.5, Nemotron 3, StepFun 3.5: <tool_call><function=NAME><parameter=KEY>value</parameter></function>
 * </tool_call>; the outer tag may be missing. */
static const lm_xml_syntax qwen_xml = {.starts = LM_WORDS("<tool_call>\0<function="),
                                       .n_sections = 1,
                                       .name_ends = LM_WORDS(">"),
                                       .parameter = "<parameter=",
                                       .key_ends = LM_WORDS(">"),
                                       .key_types = "?",
                                       .value_close = LM_WORDS("</parameter>"),
                                       .call_closes = LM_WORDS("</function>"),
                                       .section_closes = LM_WORDS("</tool_call>"),
                                       .trims_lines = true};
const lm_reply_family lm_family_qwen_xml = {.name = "qwen3-xml",
                                            .step = lm_xml_family_step,
                                            .reasoning_open = "<think>",
                                            .reasoning_close = "</think>",
                                            .syntax = &qwen_xml};

/* Seed-OSS: the same tags in a block of its own, values as they are. */
static const lm_xml_syntax seed_oss = {.starts = LM_WORDS("<seed:tool_call>\0<function="),
                                       .n_sections = 1,
                                       .name_ends = LM_WORDS(">"),
                                       .parameter = "<parameter=",
                                       .key_ends = LM_WORDS(">"),
                                       .key_types = "?",
                                       .value_close = LM_WORDS("</parameter>"),
                                       .call_closes = LM_WORDS("</function>"),
                                       .section_closes = LM_WORDS("</seed:tool_call>")};
const lm_reply_family lm_family_seed_oss = {.name = "seed-oss",
                                            .step = lm_xml_family_step,
                                            .reasoning_open = "<seed:think>",
                                            .reasoning_close = "</seed:think>",
                                            .syntax = &seed_oss};

/* MiniMax M2: <invoke> and <parameter> tags in a block. */
static const lm_xml_syntax minimax = {.starts = LM_WORDS("<minimax:tool_call>\0<invoke name=\""),
                                      .n_sections = 1,
                                      .name_ends = LM_WORDS("\">"),
                                      .parameter = "<parameter name=\"",
                                      .key_ends = LM_WORDS("\">"),
                                      .key_types = "?",
                                      .value_close = LM_WORDS("</parameter>"),
                                      .call_closes = LM_WORDS("</invoke>"),
                                      .section_closes = LM_WORDS("</minimax:tool_call>")};
const lm_reply_family lm_family_minimax = {.name = "minimax-m2",
                                           .step = lm_xml_family_step,
                                           .reasoning_open = "<think>",
                                           .reasoning_close = "</think>",
                                           .syntax = &minimax};

/* MiniMax M3: every tag behind a mark of its own, parameters as elements named after them. */
#define M3 "]<]minimax[>["
static const lm_xml_syntax minimax_m3 = {.starts = LM_WORDS(M3 "<tool_call>\0" M3 "<invoke name=\""),
                                         .n_sections = 1,
                                         .name_ends = LM_WORDS("\">"),
                                         .parameter = M3 "<",
                                         .key_ends = LM_WORDS(">"),
                                         .key_types = "?",
                                         .value_close = LM_WORDS(M3 "</"),
                                         .call_closes = LM_WORDS(M3 "</invoke>"),
                                         .section_closes = LM_WORDS(M3 "</tool_call>"),
                                         .close_names_key = true};
const lm_reply_family lm_family_minimax_m3 = {.name = "minimax-m3",
                                              .step = lm_xml_family_step,
                                              .reasoning_open = "<mm:think>",
                                              .reasoning_close = "</mm:think>",
                                              .syntax = &minimax_m3};

/* MiniCPM5: <function name="..."><param name="...">value</param></function>, where a value may be <![CDATA[value]]> */
static const lm_xml_syntax minicpm5 = {.starts = LM_WORDS("<function name=\""),
                                       .name_ends = LM_WORDS("\">"),
                                       .parameter = "<param name=\"",
                                       .key_ends = LM_WORDS("\">"),
                                       .key_types = "?",
                                       .value_close = LM_WORDS("</param>"),
                                       .quote = "<![CDATA[",
                                       .quote_close = LM_WORDS("]]></param>"),
                                       .call_closes = LM_WORDS("</function>")};
const lm_reply_family lm_family_minicpm5 = {.name = "minicpm5",
                                            .step = lm_xml_family_step,
                                            .reasoning_open = "<think>",
                                            .reasoning_close = "</think>",
                                            .syntax = &minicpm5};

/* GLM 4.5 to 5: <tool_call>NAME, then keys and values in tags of their own. */
static const lm_xml_syntax glm = {.starts = LM_WORDS("<tool_call>"),
                                  .name_ends = LM_WORDS("\n\0<arg_key>\0</tool_call>"),
                                  .name_ends_stay = true,
                                  .parameter = "<arg_key>",
                                  .key_ends = LM_WORDS("</arg_key>"),
                                  .key_types = "?",
                                  .value_open = "<arg_value>",
                                  .value_close = LM_WORDS("</arg_value>"),
                                  .call_closes = LM_WORDS("</tool_call>")};
const lm_reply_family lm_family_glm = {.name = "glm",
                                       .step = lm_xml_family_step,
                                       .reasoning_open = "<think>",
                                       .reasoning_close = "</think>",
                                       .syntax = &glm};

/* No calls: content, and reasoning in <think> tags. */
static bool step_plain(lm_reply *reply) {
    bool stepped, advanced = lm_reply_step_reasoning(reply, NULL, &stepped);
    size_t which, n;
    if (stepped) return advanced;
    lm_reply_text_until(reply, LM_REPLY_CONTENT, NULL, &which, &n);
    return false;
}
const lm_reply_family lm_family_plain = {
    .name = "plain", .step = step_plain, .reasoning_open = "<think>", .reasoning_close = "</think>"};

/* Where nothing is known: what most models were shown, calls as those of Hermes, and a reply that begins with a JSON object
 * is tried as one if tools are declared. */
static bool step_generic(lm_reply *reply) {
    enum { UNDECIDED, DECIDED };
    if (reply->state != LM_STATE_TEXT || reply->route == DECIDED) return lm_tagged_json_step(reply, &hermes);
    bool more;
    size_t spaces = lm_reply_spaces(reply, 0, &more);
    if (more) return false;
    reply->route = DECIDED;
    if (!reply->tools || reply->tools->count == 0 || lm_reply_match(reply, spaces, "{") != LM_MATCH_YES) return true;
    lm_reply_json_begin(reply, true, false);
    reply->state = LM_STATE_ARGUMENTS;
    reply->header_from = reply->scan = spaces;
    return true;
}
const lm_reply_family lm_family_generic = {
    .name = "generic", .step = step_generic, .reasoning_open = "<think>", .reasoning_close = "</think>"};
