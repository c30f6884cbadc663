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


def grid(kind, name, entries):
    print(f'\nconst {kind} {name}[{len(entries)}][{len(entries[0])}] = {{')
    print('\n'.join(lines(['{' + ','.join(map(str, e)) + '},' for e in entries])))
    print('};')


def main():
    with open(sys.argv[1], encoding='utf-8') as file:
        data = json.load(file)
    assert data['ksigns_iq2xs'] == [v | (v.bit_count() & 1) << 7 for v in range(128)]
    print(HEAD)
    for name in ('iq2xxs', 'iq2xs', 'iq2s', 'iq3xxs', 'iq3s'):
        grid('uint8_t', f'lm_{name}_grid', data[f'{name}_grid'])
    grid('int8_t', 'lm_iq1s_grid', data['iq1s_grid'])
    flat('uint8_t', 'lm_iq_signs', data['ksigns_iq2xs'])
    flat('int8_t', 'lm_iq4nl_levels', data['kvalues_iq4nl'])
    flat('int8_t', 'lm_fp4_levels', data['kvalues_fp4'])


main()
