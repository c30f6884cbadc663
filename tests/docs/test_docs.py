#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compile every C block of the documentation against the public headers, and check that the files it names exist.

usage: test_docs.py SOURCE_ROOT C_COMPILER

A block opened with ```c is a whole translation unit, or statements and declarations that are put into a function after
the includes. Blocks that are drawings or shell lines carry another word.
"""
import pathlib
import re
import subprocess
import sys

WRAP = "#include <stdio.h>\n#include <string.h>\n#include <lm/lm.h>\n#include <lm/backend.h>\n"


def blocks(text):
    for match in re.finditer(r"^```c\n(.*?)^```$", text, flags=re.S | re.M):
        yield text.count("\n", 0, match.start()) + 2, match[1]


def compiles(compiler, root, code):
    command = [compiler, "-std=c11", "-Wall", "-Wextra", "-Wno-unused", "-Werror", "-fsyntax-only", f"-I{root}/include", "-x", "c", "-"]
    result = subprocess.run(command, input=code, text=True, capture_output=True)
    return "" if result.returncode == 0 else result.stderr


def main():
    root, compiler = pathlib.Path(sys.argv[1]), sys.argv[2]
    documents = sorted((root / "doc").glob("*.md")) + [root / "README.md", root / "NEWS.md"]
    problems, n_blocks, n_names = [], 0, 0
    for document in documents:
        text = document.read_text(encoding="utf-8")
        for line, code in blocks(text):
            n_blocks += 1
            whole = code if "#include" in code else WRAP + "void sample(lm_model *model, lm_context *context);\n" + \
                "void sample(lm_model *model, lm_context *context) {\n" + code + "}\n"
            errors = compiles(compiler, root, whole)
            if errors:
                problems.append(f"{document.name}:{line}:\n{errors}")
        for name in re.findall(r"`((?:lib|kernels|include|tests|examples|doc)/[\w./-]*\w)`", text):
            n_names += 1
            if not (root / name).exists():
                problems.append(f"{document.name}: {name} does not exist")
        for name in re.findall(r"\]\(([\w./-]+\.md)\)", text):
            if not (document.parent / name).exists():
                problems.append(f"{document.name}: {name} does not exist")
    print("\n".join(problems) or f"{len(documents)} documents, {n_blocks} blocks of C, {n_names} file names")
    return 1 if problems or not n_blocks or not n_names else 0


if __name__ == "__main__":
    sys.exit(main())
