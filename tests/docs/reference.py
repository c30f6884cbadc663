#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The reference of the public interface, from the headers, which remain the original.

usage: reference.py INCLUDE/lm OUTPUT_FOLDER   writes index.md and a page per header
       reference.py --check INCLUDE/lm         every public function, struct, enum and macro of a value says what it is

A comment that starts with two stars belongs to what follows it, up to the next comment or empty line: a group of short functions
shares one. The first comment of a header is its introduction.
"""
import pathlib
import re
import sys

TOKEN = re.compile(r"/\*.*?\*/|[^/]+|/", re.S)


class Item:
    def __init__(self, kind, name, text, code):
        self.kind, self.name, self.text, self.code = kind, name, text, code


def plain(comment):
    """The text of a comment without its stars."""
    lines = re.sub(r"^/\*+|\*/$", "", comment.strip()).splitlines()
    lines = [re.sub(r"^\s*\* ?", "", line).rstrip() for line in lines]
    while lines and not lines[0].strip():
        lines.pop(0)
    while lines and not lines[-1].strip():
        lines.pop()
    if lines:
        lines[0] = lines[0].lstrip()
    return "\n".join(lines)


def statements(lines):
    """(first line, text) of each declaration or value macro at the top level of a header."""
    at = 0
    while at < len(lines):
        line = lines[at]
        if re.match(r"#define LM_\w+ ", line) or re.match(r"#define LM_\w+\s*\\$", line):
            end = at
            while lines[end].rstrip().endswith("\\"):
                end += 1
        elif re.match(r"(LM_API|typedef)\b", line):
            end, depth = at, 0
            while True:
                bare = re.sub(r"/\*.*?(\*/|$)|^[^/]*\*/(?!.*/\*)", "", lines[end]) if "/*" in lines[end] else lines[end]
                depth += bare.count("{") - bare.count("}")
                if depth == 0 and bare.rstrip().endswith(";"):
                    break
                end += 1
        else:
            at += 1
            continue
        yield at, end
        at = end + 1


def name_of(code):
    if code.startswith("#define"):
        return "macro", re.match(r"#define (LM_\w+)", code)[1]
    if code.startswith("LM_API"):
        return "function", re.search(r"\b(lm_\w+)\s*\(", code)[1]
    tag = re.match(r"typedef\s+(struct|enum)\s+(lm_\w+)", code)
    if tag and "{" in code:
        return tag[1], tag[2]
    return "type", re.findall(r"\blm_\w+", code.split("(")[0] if "(*" not in code else code)[-1 if not tag else 0]


def read(path):
    """(introduction, items) of a header."""
    lines = path.read_text(encoding="utf-8").splitlines()
    intro, comment, items, closed = "", "", [], -2
    found = {start: end for start, end in statements(lines)}
    at = 0
    while at < len(lines):
        line = lines[at]
        if at in found:
            end = found[at]
            code = "\n".join(lines[at:end + 1])
            kind, name = name_of(code)
            items.append(Item(kind, name, comment, code))
            at = end + 1
            continue
        if line.startswith("/*"):
            end = at
            while "*/" not in lines[end]:
                end += 1
            text = plain("\n".join(lines[at:end + 1]))
            if "SPDX" not in text:
                if not intro and line.startswith("/**") and not items:
                    intro = text
                else:
                    comment = text
            at = end + 1
            continue
        if not line.strip():
            comment = ""
        at += 1
    return intro, items


def check(folder):
    problems, n = [], 0
    for header in sorted(folder.glob("*.h")):
        intro, items = read(header)
        if not intro:
            problems.append(f"{header.name}: has no introduction")
        for item in items:
            n += 1
            # Handles are told by their functions, initial values by their struct, which must be in the same header.
            told = item.text or item.kind == "type" or item.name.endswith("_INIT") or re.search(r"/\*.*\*/", item.code)
            if not told and item.kind in ("function", "struct", "enum"):
                problems.append(f"{header.name}: {item.name} says nothing")
            if item.kind == "function" and not item.text:
                problems.append(f"{header.name}: {item.name} has no contract")
    print("\n".join(problems) or f"{n} names")
    return 1 if problems or not n else 0


def write(folder, out):
    out.mkdir(parents=True, exist_ok=True)
    index = ["# Reference", "", "Made from the headers, which are the original. One page per header."]
    for header in sorted(folder.glob("*.h")):
        intro, items = read(header)
        page = [f"# lm/{header.name}", "", "```text", intro, "```", ""]
        names = []
        groups = []
        for item in items:
            if groups and item.text and groups[-1][0].text == item.text:
                groups[-1].append(item)
            else:
                groups.append([item])
        for group in groups:
            page += ["## " + ", ".join(f"`{i.name}`" for i in group), ""]
            if group[0].text:
                page += ["```text", group[0].text, "```", ""]
            page += ["```c"] + [i.code for i in group] + ["```", ""]
            names += [f"`{i.name}`" for i in group if i.kind == "function"]
        (out / (header.stem + ".md")).write_text("\n".join(page), encoding="utf-8")
        index += ["", f"## [{header.name}]({header.stem}.md)", "", intro.split("\n\n")[0].replace("\n", " "), ""]
        if names:
            index += [", ".join(names)]
    (out / "index.md").write_text("\n".join(index) + "\n", encoding="utf-8")
    return 0


def main():
    if sys.argv[1] == "--check":
        return check(pathlib.Path(sys.argv[2]))
    return write(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))


if __name__ == "__main__":
    sys.exit(main())
