#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compile every C block of the documentation against the public headers; check that the files, headings and names of the library
that it speaks of exist, and that README.md leads to every page.

usage: test_docs.py SOURCE_ROOT C_COMPILER [LIBRARY]

A block opened with ```c is a whole translation unit, or statements and declarations that are put into a function after
the includes. One opened with ```c run is a program: it is linked to the library and run with a tiny chat model as its
argument, if a library is given. Blocks that are drawings or shell lines carry another word.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

WRAP = "#include <stdio.h>\n#include <string.h>\n#include <lm/lm.h>\n#include <lm/backend.h>\n"


def blocks(text):
    for match in re.finditer(r"^```c( run)?\n(.*?)^```$", text, flags=re.S | re.M):
        yield text.count("\n", 0, match.start()) + 2, match[2], match[1] is not None


def compiles(compiler, root, code):
    command = [compiler, "-std=c11", "-Wall", "-Wextra", "-Wno-unused", "-Wno-unused-parameter", "-Werror", "-fsyntax-only", f"-I{root}/include", "-x", "c", "-"]
    result = subprocess.run(command, input=code, text=True, capture_output=True)
    return "" if result.returncode == 0 else result.stderr


def runs(compiler, root, library, code):
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder) / "program"
        command = [compiler, "-std=c11", f"-I{root}/include", "-x", "c", "-", "-x", "none", library, "-o", program, f"-Wl,-rpath,{library.parent}"]
        result = subprocess.run(command, input=code, text=True, capture_output=True)
        if result.returncode == 0:
            result = subprocess.run([program, root / "tests/golden/session/chat.gguf"], text=True, capture_output=True)
        return "" if result.returncode == 0 else f"exit status {result.returncode}\n{result.stdout}{result.stderr}"


def links(text):
    """(file, heading) of each link that stays in the repository"""
    return re.findall(r"\]\((?!https?:)([\w./-]*)#?([\w-]*)\)", text)


def headings(text):
    return {re.sub(r"[^\w -]", "", line).lower().replace(" ", "-") for line in re.findall(r"^#+ (.*)$", text, flags=re.M)}


def unreached(root):
    """pages of doc to which no chain of links leads"""
    pages, waiting = {path.name for path in (root / "doc").glob("*.md")}, [root / "README.md"]
    while waiting:
        document = waiting.pop()
        found = {pathlib.Path(name).name for name, _ in links(document.read_text(encoding="utf-8"))} & pages
        pages -= found
        waiting += [root / "doc" / name for name in found]
    return pages


def words(root):
    """every identifier of the sources"""
    return {word for folder in ("include", "lib", "kernels", "tests/support") for path in (root / folder).rglob("*.[ch]")
            for word in re.findall(r"\w+", path.read_text(encoding="utf-8"))}


def main():
    root, compiler = pathlib.Path(sys.argv[1]), sys.argv[2]
    library = pathlib.Path(sys.argv[3]).resolve() if len(sys.argv) > 3 else None
    documents = sorted((root / "doc").glob("*.md")) + [root / "README.md", root / "NEWS.md"]
    known = words(root)
    problems, n_blocks, n_names = [], 0, 0
    for document in documents:
        text = document.read_text(encoding="utf-8")
        for line, code, is_program in blocks(text):
            n_blocks += 1
            whole = code if "#include" in code else WRAP + "void sample(lm_model *model, lm_context *context);\n" + \
                "void sample(lm_model *model, lm_context *context) {\n" + code + "}\n"
            errors = compiles(compiler, root, whole) or (runs(compiler, root, library, whole) if is_program and library else "")
            if errors:
                problems.append(f"{document.name}:{line}:\n{errors}")
        for name in re.findall(r"`((?:lib|kernels|include|tests|examples|doc)/[\w./-]*\w)`", text):
            n_names += 1
            if not (root / name).exists():
                problems.append(f"{document.name}: {name} does not exist")
        for name in re.findall(r"`((?:lm|LM)_\w+)`", text):
            n_names += 1
            if name not in known:
                problems.append(f"{document.name}: nothing is called {name}")
        for name, anchor in links(text):
            target = document.parent / name if name else document
            if not target.exists():
                problems.append(f"{document.name}: {name} does not exist")
            elif anchor and anchor not in headings(target.read_text(encoding="utf-8")):
                problems.append(f"{document.name}: {target.name} has no heading {anchor}")
    problems += [f"README.md leads nowhere to doc/{name}" for name in sorted(unreached(root))]
    print("\n".join(problems) or f"{len(documents)} documents, {n_blocks} blocks of C, {n_names} names")
    return 1 if problems or not n_blocks or not n_names else 0


if __name__ == "__main__":
    sys.exit(main())
