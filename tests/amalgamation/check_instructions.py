#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prove that no AVX instruction is where any processor may come: check_instructions.py PROGRAM LM_C.

PROGRAM was compiled from LM_C with -g1. A function belongs to the file of lib/ or kernels/ under whose comment it begins in LM_C;
only those of kernels/x86 may have instructions with AVX's encodings.
"""
import bisect
import re
import subprocess
import sys

SECTION = re.compile(r"/\* ==== (\S+) ==== \*/")
AVX = re.compile(r"\t(v(?!err|erw|mcall|mmcall)[a-z0-9]+|k(?:and|or|xor|mov|unpck|test|add|shift|not)\w*|andn|bextr|bls\w+|bzhi|mulx|pdep|pext|rorx|s[ah][lr]x)\s"
                 r"|%[yz]mm\d")


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def main():
    program, source = sys.argv[1:]
    starts, names = [], []
    with open(source, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            match = SECTION.match(line)
            if match:
                starts.append(number)
                names.append(match[1])
    places = {}
    for line in output("nm", "-l", program):
        match = re.match(r"([0-9a-f]+) [tTwW] (\S+)\t\S*lm\.c:(\d+)$", line)
        if match:
            places[int(match[1], 16)] = (match[2], names[bisect.bisect_right(starts, int(match[3])) - 1])
    with_avx, inside, outside = set(), None, set()
    for line in output("objdump", "-d", "--no-show-raw-insn", "-j", ".text", program):
        match = re.match(r"([0-9a-f]+) <.*>:$", line)
        if match:
            inside = places.get(int(match[1], 16))
        elif inside and AVX.search(line):
            with_avx.add(inside)
    for name, place in sorted(with_avx):
        if not place.startswith("kernels/x86/"):
            outside.add(name)
            print(f"{name} of {place} has AVX instructions")
    print(f"{len(places)} functions, {len(with_avx)} with AVX, {len(outside)} of them outside kernels/x86")
    return 1 if outside or not with_avx or len(places) < 1000 else 0


if __name__ == "__main__":
    sys.exit(main())
