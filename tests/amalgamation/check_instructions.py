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
    functions = dict(m.groups() for m in (re.match(r"([0-9a-f]+) [tTwW] (\S+)$", line) for line in output("nm", program)) if m)
    # Where each begins; of what is inlined there addr2line tells all lines, the function's own last.
    places, inside = {}, None
    for line in output("addr2line", "-a", "-i", "-e", program, *functions):
        match = re.search(r"/lm\.c:(\d+)", line)
        if line.startswith("0x"):
            inside = line[2:]
        elif match:
            places[inside] = names[bisect.bisect_right(starts, int(match[1])) - 1]
    with_avx, inside = set(), None
    for line in output("objdump", "-d", "--no-show-raw-insn", "-j", ".text", program):
        match = re.match(r"([0-9a-f]+) <.*>:$", line)
        if match:
            inside = match[1]
        elif AVX.search(line):
            with_avx.add(inside)
    outside = [f for f in sorted(with_avx) if not places.get(f, "").startswith("kernels/x86/")]
    for function in outside:
        print(f"{functions.get(function, function)} of {places.get(function, 'no known file')} has AVX instructions")
    print(f"{len(places)} functions, {len(with_avx)} with AVX, {len(outside)} of them outside kernels/x86")
    return 1 if outside or not with_avx or len(places) < 1000 else 0


if __name__ == "__main__":
    sys.exit(main())
