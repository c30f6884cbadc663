#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compile every public header alone, as C99 and as C++11, and the example that its first comment shows, without a warning.

usage: test_headers.py INCLUDE_DIRECTORY C_COMPILER [CXX_COMPILER]

An example is what the first comment of a header indents by four blanks: statements, which are put into a function. What they take
from the reader's program is declared here.
"""
import pathlib
import re
import subprocess
import sys

FLAGS = ["-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only"]
INCLUDES = "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <lm/lm.h>\n#include <lm/backend.h>\n"
GIVEN = {
    "adapter.h": "lm_model *model; lm_context *context; lm_error error; lm_adapter *adapter;",
    "backend.h": "lm_runtime_params params; int32_t my_device_count(void *user);",
    "base.h": "",
    "box.h": "lm_error error;",
    "chat.h": "const char *template_text, *piece; size_t n, size, piece_size; int generating, stopped_by_a_limit; lm_error error;"
              "void show(const lm_chat_delta *delta);",
    "context.h": "lm_model *model; lm_sampler *sampler; lm_error error; lm_token *tokens, token; size_t n_tokens;",
    "dtype.h": "int32_t tensor_type; size_t bytes, n_elements;",
    "embed.h": "lm_model *model; lm_context *context; lm_error error; lm_token tokens[512];",
    "executor.h": "extern char my_pool[]; void my_pool_run(void *pool, int32_t n, lm_executor_task task, void *arg);",
    "grammar.h": "const char *schema; size_t n, n_words; int generating; lm_error error; lm_grammar_vocab *vocab; uint32_t *mask;"
                 "float *logits; lm_token token; void report(const lm_error *error);"
                 "lm_token pick_one_whose_bit_is_set(const float *logits, const uint32_t *mask);",
    "lm.h": "",
    "model.h": "",
    "runtime.h": "lm_runtime *runtime; lm_error error; lm_model_params model_params;",
    "sampler.h": "lm_sampler *sampler; lm_error error; float *logits; lm_token token;",
    "session.h": "lm_model *model; lm_context *context; lm_error error; char *history; void append(char *to, const char *text, size_t n);"
                 "int32_t print_content(void *user, const lm_chat_delta *delta);",
    "speculate.h": "lm_model *model; lm_context *context; lm_sampler *sampler; lm_speculator *speculator; lm_context_params params; lm_error error;"
                   "lm_token *prompt, tokens[5]; size_t n_prompt, n; void show(const lm_token *tokens, size_t n);",
    "vocab.h": "lm_model *model; const char *text; lm_token token;",
}
OUTSIDE = {"executor.h"}  # the example defines a function


def example(header):
    comment = re.search(r"/\*\*\n(.*?)\*/", header.read_text(encoding="utf-8"), flags=re.S)
    lines = [re.sub(r"^ \* ?", "", line) for line in comment[1].splitlines()] if comment else []
    return [line[4:] for line in lines if line.startswith("    ")]


def compiles(include, compiler, language, standard, source, warnings=()):
    command = [compiler, f"-std={standard}", *FLAGS, *warnings, f"-I{include}", "-x", language, "-"]
    result = subprocess.run(command, input=source, text=True, capture_output=True)
    return "" if result.returncode == 0 else result.stderr


def main():
    include, cc = pathlib.Path(sys.argv[1]), sys.argv[2]
    compilers = [(cc, "c", "c99")] + [(cxx, "c++", "c++11") for cxx in sys.argv[3:4]]
    headers = sorted((include / "lm").glob("*.h"))
    problems, shown = [], set()
    for header in headers:
        for compiler, language, standard in compilers:
            # Twice: the guard works too.
            source = f"#include <lm/{header.name}>\n" * 2 + "int lm_header_is_alone;\n"
            errors = compiles(include, compiler, language, standard, source)
            if errors:
                problems.append(f"{header.name} as {standard}:\n{errors}")
        lines = example(header)
        if not lines:
            continue
        shown.add(header.name)
        top = [line for line in lines if line.startswith("#include")]
        code = "\n".join(line for line in lines if line not in top) + "\n"
        whole = code if header.name in OUTSIDE else "int sample(void);\nint sample(void) {\n" + code + "return 0;\n}\n"
        source = INCLUDES + "\n".join(top) + "\n" + GIVEN.get(header.name, "") + "\n" + whole
        errors = compiles(include, cc, "c", "c11", source, ["-Wno-unused", "-Wno-unused-parameter"])
        if errors:
            problems.append(f"the example of {header.name}:\n{errors}")
    problems += [f"{name} shows no example" for name in sorted(GIVEN.keys() - shown)]
    print("\n".join(problems) or f"{len(headers)} headers, {len(compilers)} languages, {len(shown)} examples")
    return 1 if problems or not headers else 0


if __name__ == "__main__":
    sys.exit(main())
