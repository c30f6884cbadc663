#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compile every public header alone, as C99 and as C++11, without a warning.

usage: test_headers.py INCLUDE_DIRECTORY C_COMPILER [CXX_COMPILER]
"""
import pathlib
import subprocess
import sys


def main():
    include, cc = pathlib.Path(sys.argv[1]), sys.argv[2]
    compilers = [(cc, "c", "c99")] + [(cxx, "c++", "c++11") for cxx in sys.argv[3:4]]
    headers = sorted((include / "lm").glob("*.h"))
    failed = 0
    for header in headers:
        for compiler, language, standard in compilers:
            # Twice: the guard works too.
            source = f"#include <lm/{header.name}>\n" * 2 + "int lm_header_is_alone;\n"
            command = [compiler, f"-std={standard}", "-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only",
                       f"-I{include}", "-x", language, "-"]
            result = subprocess.run(command, input=source, text=True, capture_output=True)
            if result.returncode:
                failed += 1
                print(f"{header.name} as {standard}:\n{result.stderr}")
    print(f"{len(headers)} headers, {len(compilers)} languages, {failed} failed")
    return 1 if failed or not headers else 0


if __name__ == "__main__":
    sys.exit(main())
