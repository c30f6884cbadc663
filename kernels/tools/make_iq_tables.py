#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write kernels/generic/iq_tables.c to standard output from a JSON file of the codebooks.

The argument is a file with the members iq2xxs_grid, iq2xs_grid, iq2s_grid, iq3xxs_grid, iq3s_grid, iq1s_grid (entries of
8 or 4 element values), ksigns_iq2xs, kvalues_iq4nl and kvalues_fp4: the numbers that define the formats.
"""
import json
import sys

HEAD = '''/* SPDX-License-Identifier: MIT
 * Codebooks of the IQ block types, written by kernels/tools/make_iq_tables.py. The numbers define the file formats and come from
 * the ggml project, under this notice:
 *
 *   MIT License. Copyright (c) 2023-2026 The ggml authors
 *
 *   Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
 *   files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy,
 *   modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the
 *   Software is furnished to do so, subject to the following conditions:
 *
 *   The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
 *   Software.
 *
 *   THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
 *   WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
 *   COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE,
 *   ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE. */
#include "../iq_tables.h"

/* clang-format off */'''


def lines(items, width=116):
    line = '   '
    for item in items:
        if len(line) + 1 + len(item) > width:
            yield line
            line = '   '
        line += ' ' + item
    yield line


def flat(kind, name, values):
    print(f'\nconst {kind} {name}[{len(values)}] = {{')
    print('\n'.join(lines([f'{v},' for v in values])))
    print('};')


def grid(name, levels, entries):
    """Entries as level numbers, element j in bits 2j (of 8 elements) or 4j (of 4) of a word."""
    bits = 16 // len(entries[0])
    flat('uint16_t', name, [sum(levels.index(v) << bits * j for j, v in enumerate(e)) for e in entries])


IQ2, IQ3XXS, IQ3S, IQ1 = [8, 25, 43], [4, 12, 20, 28, 36, 44, 52, 62], list(range(1, 16, 2)), [-1, 0, 1]


def main():
    with open(sys.argv[1], encoding='utf-8') as file:
        data = json.load(file)
    assert data['ksigns_iq2xs'] == [v | (v.bit_count() & 1) << 7 for v in range(128)]
    print(HEAD)
    for name, levels in ('iq2xxs', IQ2), ('iq2xs', IQ2), ('iq2s', IQ2), ('iq3xxs', IQ3XXS), ('iq3s', IQ3S), ('iq1s', IQ1):
        grid(f'lm_{name}_grid', levels, data[f'{name}_grid'])
    flat('uint8_t', 'lm_iq_signs', data['ksigns_iq2xs'])
    flat('int8_t', 'lm_iq4nl_levels', data['kvalues_iq4nl'])
    flat('int8_t', 'lm_fp4_levels', data['kvalues_fp4'])


main()
