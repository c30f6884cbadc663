#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What is public is one list: the LM_API functions of the headers, liblm.map, symbols.txt and the shared library agree.

usage: test_symbols.py SOURCE_ROOT [SHARED_LIBRARY]
       test_symbols.py --write SOURCE_ROOT      make symbols.txt from liblm.map, after a function was added
"""
import pathlib
import re
import subprocess
import sys


def of_headers(root):
    names = set()
    for header in sorted((root / "include" / "lm").glob("*.h")):
        text = re.sub(r"/\*.*?\*/", " ", header.read_text(encoding="utf-8"), flags=re.S)
        text = re.sub(r"//[^\n]*|^\s*#(?:[^\n\\]|\\.|\\\n)*", " ", text, flags=re.M)
        for declaration in re.findall(r"\bLM_API\b([^;]*);", text):
            names.add(re.search(r"\b(lm_\w+)\s*\(", declaration)[1])
    return names


def of_map(root):
    """name -> version node"""
    names, version = {}, None
    for line in (root / "lib" / "liblm.map").read_text().splitlines():
        node = re.match(r"(LM_[0-9.]+) \{", line)
        name = re.match(r"\s+(lm_\w+);", line)
        if node:
            version = node[1]
        elif name:
            names[name[1]] = version
    return names


def of_list(root):
    lines = (root / "tests" / "abi" / "symbols.txt").read_text().splitlines()
    return dict(line.split() for line in lines if line and not line.startswith("#"))


def of_library(path):
    """name -> version node; the marks of the nodes themselves are left out"""
    names = {}
    for line in subprocess.run(["nm", "-D", "--defined-only", path], check=True, capture_output=True, text=True).stdout.splitlines():
        kind, name = line.split()[-2:]
        if kind != "A":
            name, _, version = name.partition("@@")
            names[name] = version
    return names


def differ(what, a, of_what, b):
    missing = [f"{name} is in {what} and not in {of_what}" for name in sorted(set(a) - set(b))]
    missing += [f"{name} is in {of_what} and not in {what}" for name in sorted(set(b) - set(a))]
    if isinstance(a, dict) and isinstance(b, dict):
        missing += [f"{n}: {a[n]} in {what}, {b[n]} in {of_what}" for n in sorted(set(a) & set(b)) if a[n] != b[n]]
    return missing


def main():
    if sys.argv[1] == "--write":
        root = pathlib.Path(sys.argv[2])
        lines = [f"{name} {version}" for name, version in sorted(of_map(root).items())]
        head = "# Every public function and the version that added it. A line never goes away within a major version."
        (root / "tests" / "abi" / "symbols.txt").write_text("\n".join([head] + lines) + "\n")
        return 0
    root = pathlib.Path(sys.argv[1])
    exported = of_map(root)
    problems = differ("the headers", of_headers(root), "liblm.map", set(exported))
    problems += differ("symbols.txt", of_list(root), "liblm.map", exported)
    if list(exported) != sorted(exported):
        problems.append("liblm.map is not in alphabetical order")
    if len(sys.argv) > 2:
        problems += differ("the library", of_library(sys.argv[2]), "liblm.map", exported)
    print("\n".join(problems) or f"{len(exported)} functions")
    return 1 if problems or not exported else 0


if __name__ == "__main__":
    sys.exit(main())
