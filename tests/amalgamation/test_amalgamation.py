#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write lm.c and lm.h, and compile them without a warning: lm.h also as C99 and C++11, lm.c by every compiler named.

usage: test_amalgamation.py FOLDER C_COMPILER...
"""
import pathlib
import shutil
import subprocess
import sys

STRICT = ["-Wall", "-Wextra", "-Werror", "-fsyntax-only"]


def main():
    script = pathlib.Path(__file__).resolve().parents[2] / "lib/amalgamate.py"
    folder, compilers = pathlib.Path(sys.argv[1]), sys.argv[2:]
    subprocess.run([sys.executable, script, folder], check=True)
    commands = [[compilers[0], "-std=c99", "-pedantic", "-x", "c", folder / "lm.h"]]
    commands += [[cxx, "-std=c++11", "-pedantic", "-x", "c++", folder / "lm.h"] for cxx in ("g++", "clang++") if shutil.which(cxx)]
    # Of the templates a file uses what it needs.
    commands += [[compiler, "-O2", "-Wno-unused-function", folder / "lm.c"] for compiler in compilers]
    failed = [c[0] for c in commands if subprocess.run([c[0], *STRICT, *c[1:]]).returncode]
    print(f"{len(commands)} compilations, {len(failed)} failed", *failed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
