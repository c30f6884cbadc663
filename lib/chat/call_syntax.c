/* SPDX-License-Identifier: MIT
 * The rows of call_syntax.h. Each is as the vendors' templates render it. */
#include "call_syntax.h"

#include <string.h>

#include "../reply/reply.h"

#define BAR "\xEF\xBD\x9C"
#define GAP "\xE2\x96\x81"
#define DSML BAR "DSML" BAR
#define M3 "]<]minimax[>["
#define NAME LM_CALL_NAME
#define ARGUMENTS LM_CALL_ARGUMENTS
#define JSON_CALL "{\"name\": \"" NAME "\", \"arguments\": " ARGUMENTS "}"

/* Three rows differ in nothing but whether a template breaks lines. */
#define GLM(mark_, break_)                                                                                             \
    {                                                                                                                  \
        .family = "glm", .mark = mark_, .wakes = LM_WORDS("<tool_call>"),                                              \
        .calls = LM_WORDS("<tool_call>" NAME break_ ARGUMENTS "</tool_call>"), .between = break_,                      \
        .style = LM_ARGUMENTS_TAGS, .key_open = "<arg_key>", .key_close = "</arg_key>" break_ "<arg_value>",           \
        .value_close = "</arg_value>" break_                                                                           \
    }
#define DSML_ROW(mark_, section)                                                                                       \
    {                                                                                                                  \
        .family = "deepseek", .mark = mark_, .wakes = LM_WORDS("<" DSML section ">"), .open = "<" DSML section ">\n",  \
        .calls = LM_WORDS("<" DSML "invoke name=\"" NAME "\">\n" ARGUMENTS "</" DSML "invoke>"), .between = "\n",      \
        .close = "\n</" DSML section ">", .style = LM_ARGUMENTS_TAGS, .key_open = "<" DSML "parameter name=\"",        \
        .key_close = "\" string=\"" LM_CALL_IS_TEXT "\">", .value_close = "</" DSML "parameter>\n"                     \
    }

static const lm_call_syntax rows[] = {
    {.family = "qwen3",
     .wakes = LM_WORDS("<tool_call>"),
     .calls = LM_WORDS("<tool_call>\n" JSON_CALL "\n</tool_call>"),
     .between = "\n"},
    {.family = "generic",
     .wakes = LM_WORDS("<tool_call>"),
     .calls = LM_WORDS("<tool_call>\n" JSON_CALL "\n</tool_call>"),
     .between = "\n"},
    {.family = "qwen3-xml",
     .wakes = LM_WORDS("<tool_call>"),
     .calls = LM_WORDS("<tool_call>\n<function=" NAME ">\n" ARGUMENTS "</function>\n</tool_call>"),
     .between = "\n",
     .style = LM_ARGUMENTS_TAGS,
     .key_open = "<parameter=",
     .key_close = ">\n",
     .value_close = "\n</parameter>\n"},
    {.family = "seed-oss",
     .wakes = LM_WORDS("<seed:tool_call>"),
     .calls = LM_WORDS("<seed:tool_call>\n<function=" NAME ">\n" ARGUMENTS "</function>\n</seed:tool_call>"),
     .between = "\n",
     .style = LM_ARGUMENTS_TAGS,
     .key_open = "<parameter=",
     .key_close = ">",
     .value_close = "</parameter>\n"},
    {.family = "minimax-m2",
     .wakes = LM_WORDS("<minimax:tool_call>"),
     .open = "<minimax:tool_call>\n",
     .calls = LM_WORDS("<invoke name=\"" NAME "\">\n" ARGUMENTS "</invoke>"),
     .between = "\n",
     .close = "\n</minimax:tool_call>",
     .style = LM_ARGUMENTS_TAGS,
     .key_open = "<parameter name=\"",
     .key_close = "\">",
     .value_close = "</parameter>\n"},
    {.family = "minimax-m3",
     .wakes = LM_WORDS(M3 "<tool_call>"),
     .open = M3 "<tool_call>\n",
     .calls = LM_WORDS(M3 "<invoke name=\"" NAME "\">" ARGUMENTS M3 "</invoke>"),
     .between = "\n",
     .close = "\n" M3 "</tool_call>",
     .style = LM_ARGUMENTS_TAGS,
     .key_open = M3 "<",
     .key_close = ">",
     .value_close = M3 "</" LM_CALL_KEY ">"},
    {.family = "minicpm5",
     .wakes = LM_WORDS("<function name=\""),
     .calls = LM_WORDS("<function name=\"" NAME "\">" ARGUMENTS "</function>"),
     .between = "\n",
     .style = LM_ARGUMENTS_TAGS,
     .key_open = "<param name=\"",
     .key_close = "\">",
     .value_close = "</param>"},
    GLM("</arg_key>\\n", "\n"),
    GLM("</arg_key>\n", "\n"),
    GLM(NULL, ""),
    {.family = "llama3",
     .pattern = "^\\s*(\\{)",
     .calls = LM_WORDS("{\"name\": \"" NAME "\", \"parameters\": " ARGUMENTS "}")},
    {.family = "mistral",
     .mark = "[CALL_ID]",
     .wakes = LM_WORDS("[TOOL_CALLS]"),
     .calls = LM_WORDS("[TOOL_CALLS]" NAME "[CALL_ID]" LM_CALL_LETTERS "[ARGS]" ARGUMENTS),
     .between = ""},
    {.family = "mistral",
     .mark = "[ARGS]",
     .wakes = LM_WORDS("[TOOL_CALLS]"),
     .calls = LM_WORDS("[TOOL_CALLS]" NAME "[ARGS]" ARGUMENTS),
     .between = ""},
    {.family = "mistral",
     .wakes = LM_WORDS("[TOOL_CALLS]"),
     .open = "[TOOL_CALLS][",
     .calls = LM_WORDS("{\"name\": \"" NAME "\", \"arguments\": " ARGUMENTS ", \"id\": \"" LM_CALL_LETTERS "\"}"),
     .between = ", ",
     .close = "]"},
    {.family = "granite",
     .wakes = LM_WORDS("<|tool_call|>"),
     .open = "<|tool_call|>[",
     .calls = LM_WORDS(JSON_CALL),
     .between = ", ",
     .close = "]"},
    {.family = "nemotron",
     .wakes = LM_WORDS("<TOOLCALL>"),
     .open = "<TOOLCALL>[",
     .calls = LM_WORDS(JSON_CALL),
     .between = ", ",
     .close = "]</TOOLCALL>"},
    {.family = "apertus",
     .wakes = LM_WORDS("<|tools_prefix|>"),
     .open = "<|tools_prefix|>[",
     .calls = LM_WORDS("{\"" NAME "\": " ARGUMENTS "}"),
     .between = ", ",
     .close = "]<|tools_suffix|>"},
    {.family = "cohere",
     .wakes = LM_WORDS("<|START_ACTION|>"),
     .open = "<|START_ACTION|>[\n    ",
     .calls = LM_WORDS("{\"tool_call_id\": \"" LM_CALL_NUMBER "\", \"tool_name\": \"" NAME
                       "\", \"parameters\": " ARGUMENTS "}"),
     .between = ",\n    ",
     .close = "\n]<|END_ACTION|>"},
    {.family = "kimi-k2",
     .wakes = LM_WORDS("<|tool_calls_section_begin|>"),
     .open = "<|tool_calls_section_begin|>",
     .calls = LM_WORDS("<|tool_call_begin|>functions." NAME ":" LM_CALL_NUMBER "<|tool_call_argument_begin|>" ARGUMENTS
                       "<|tool_call_end|>"),
     .between = "",
     .close = "<|tool_calls_section_end|>"},
    DSML_ROW("function_calls", "function_calls"),
    DSML_ROW("dsml_token", "tool_calls"),
    {.family = "deepseek",
     .mark = "```json",
     .wakes = LM_WORDS("<" BAR "tool" GAP "calls" GAP "begin" BAR ">"),
     .open = "<" BAR "tool" GAP "calls" GAP "begin" BAR ">",
     .calls = LM_WORDS("<" BAR "tool" GAP "call" GAP "begin" BAR ">function<" BAR "tool" GAP "sep" BAR ">" NAME
                       "\n```json\n" ARGUMENTS "\n```<" BAR "tool" GAP "call" GAP "end" BAR ">"),
     .between = "\n",
     .close = "<" BAR "tool" GAP "calls" GAP "end" BAR ">"},
    {.family = "deepseek",
     .wakes = LM_WORDS("<" BAR "tool" GAP "calls" GAP "begin" BAR ">"),
     .open = "<" BAR "tool" GAP "calls" GAP "begin" BAR ">",
     .calls = LM_WORDS("<" BAR "tool" GAP "call" GAP "begin" BAR ">" NAME "<" BAR "tool" GAP "sep" BAR ">" ARGUMENTS
                       "<" BAR "tool" GAP "call" GAP "end" BAR ">"),
     .between = "",
     .close = "<" BAR "tool" GAP "calls" GAP "end" BAR ">"},
    {.family = "gemma4",
     .wakes = LM_WORDS("<|tool_call>"),
     .calls = LM_WORDS("<|tool_call>call:" NAME "{" ARGUMENTS "}<tool_call|>"),
     .between = "",
     .style = LM_ARGUMENTS_GEMMA},
    {.family = "lfm2",
     .wakes = LM_WORDS("<|tool_call_start|>"),
     .open = "<|tool_call_start|>[",
     .calls = LM_WORDS(NAME "(" ARGUMENTS ")"),
     .between = ", ",
     .close = "]<|tool_call_end|>",
     .style = LM_ARGUMENTS_PYTHON},
    {.family = "harmony",
     .wakes = LM_WORDS("<|channel|>commentary to=functions.\0 to=functions."),
     .calls = LM_WORDS("<|channel|>commentary to=functions." NAME " <|constrain|>json<|message|>" ARGUMENTS
                       "\0 to=functions." NAME "<|channel|>commentary <|constrain|>json<|message|>" ARGUMENTS
                       "\0 to=functions." NAME "<|channel|>commentary json<|message|>" ARGUMENTS),
     .answer = "<|channel|>final<|message|>",
     .reasoning = LM_WORDS("<|channel|>analysis<|message|>\0<|end|><|start|>assistant")},
    {.family = "functionary",
     .wakes = LM_WORDS("<function="),
     .calls = LM_WORDS("<function=" NAME ">" ARGUMENTS "</function>"),
     .between = "\n"},
    {.family = "functionary-3.2",
     .pattern = "(?:^|>>>)((?:[^a>\n]|a[^l\n]|al[^l\n]|all[^\n])[^\n]*\n|a\n|al\n)",
     .calls = LM_WORDS(NAME "\n" ARGUMENTS),
     .between = ">>>",
     .answer = "all\n"},
};

const lm_call_syntax *lm_call_syntax_find(const lm_chat *chat, const char *family) {
    const lm_call_syntax *derived = lm_chat_derived_calls(chat, family);
    if (derived) return derived;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const lm_call_syntax *row = &rows[i];
        if (strcmp(row->family, family) == 0 && (!row->mark || lm_chat_mentions(chat, row->mark)) &&
            (!row->no_mark || !lm_chat_mentions(chat, row->no_mark)))
            return row;
    }
    return NULL;
}
