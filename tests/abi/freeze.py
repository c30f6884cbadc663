#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write the public headers as one file without comments: what a program that is already out there was compiled with.

usage: freeze.py SOURCE_ROOT > tests/abi/frozen_MAJOR_MINOR.h      once per version that adds names; never edited afterwards
"""
import pathlib
import re
import sys


def inline(path, seen, lines):
    if path.name in seen:
        return
    seen.add(path.name)
    text = re.sub(r"/\*.*?\*/", " ", path.read_text(encoding="utf-8"), flags=re.S)
    for line in text.splitlines():
        own = re.match(r'#include "(\w+\.h)"', line)
        if own:
            inline(path.parent / own[1], seen, lines)
        elif line.strip():
            lines.append(re.sub(r"\s+", " ", line.rstrip()) if not line.rstrip().endswith("\\") else
                         re.sub(r"\s+", " ", line.rstrip("\\ ")) + " \\")


def main():
    headers = pathlib.Path(sys.argv[1]) / "include" / "lm"
    lines = []
    inline(headers / "lm.h", set(), lines)
    print("/* SPDX-License-Identifier: MIT\n * Frozen: the public headers of a released version, made by tests/abi/freeze.py. Never edited. */")
    print("\n".join(lines))


main()
