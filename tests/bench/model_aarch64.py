#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Cycles per block of the integer products on 64-bit Arm, in the processor models of llvm-mca.

The loops are taken from the machine code of kernels/arm: a loop over blocks, and what is left of it plus the passes of the one
loop it may contain. Loads hit L1, branches are free: the figures are what the instructions cost, not what memory delivers.

    model_aarch64.py [CPU...]      default: apple-m1 neoverse-v2

CC, OBJDUMP, LLVM_MCA name other tools. An old llvm-mca may not know every processor."""
import os, re, subprocess, sys, tempfile

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
CC = os.environ.get('CC', 'aarch64-linux-gnu-gcc')
OBJDUMP = os.environ.get('OBJDUMP', 'aarch64-linux-gnu-objdump')
MCA = os.environ.get('LLVM_MCA', 'llvm-mca')


def functions(name, folder):
    """Name -> [(address, text, branch target or None)] of one file."""
    path = os.path.join(folder, name + '.o')
    subprocess.check_call([CC, '-O2', '-std=gnu11', '-I', TOP + '/kernels', '-c', f'{TOP}/kernels/arm/{name}.c', '-o', path])
    found, body = {}, None
    for line in subprocess.check_output([OBJDUMP, '-d', '--no-show-raw-insn', path], text=True).splitlines():
        if m := re.match(r'[0-9a-f]+ <(\w+)[.\w]*>:', line):
            body = found.setdefault(m[1], [])
        elif m := re.match(r' *([0-9a-f]+):\t(.*)', line):
            text = re.sub(r'\s*//.*', '', m[2]).replace('\t', ' ')
            branch = re.match(r'(?:b|b\.\w+|cbn?z \w+,|tbn?z \w+, #\d+,) ([0-9a-f]+) <', text)
            body.append((int(m[1], 16), re.sub(r' <.*>', '', text), int(branch[1], 16) if branch else None))
    return found


def cycles(code, cpu):
    """Cycles per repetition of code, branches left out."""
    text = '\n'.join(t for _, t, target in code if target is None and not t.startswith(('ret', 'bl')))
    text = re.sub(r'\badrp? (\w+), \w+', r'adr \1, #0', text)
    out = subprocess.run([MCA, '-mtriple=aarch64', '-mcpu=' + cpu, '-mattr=+dotprod,+i8mm', '-iterations=200'],
                         input=text, text=True, capture_output=True)
    if out.returncode:
        sys.exit(out.stderr[:2000])
    return int(re.search(r'Total Cycles: +(\d+)', out.stdout)[1]) / 200, len(text.splitlines())


def loop_cost(code, cpu, inner_count):
    """(cycles, instructions) of one pass of the outermost loop, the loop inside it run inner_count times."""
    first = code[0][0]
    loops = sorted({(t, a) for a, _, t in code if t is not None and first <= t <= a}, key=lambda l: l[0] - l[1])
    start, end = loops[0]
    body = [i for i in code if start <= i[0] <= end]
    inside = [l for l in loops[1:] if start <= l[0] and l[1] <= end and (l[1] - l[0]) > 40 and l != loops[0]]
    if inner_count == 1 or not inside:
        return cycles(body, cpu)
    a, b = inside[0]
    outer = cycles([i for i in body if not a <= i[0] <= b], cpu)
    inner = cycles([i for i in body if a <= i[0] <= b], cpu)
    return outer[0] + inner_count * inner[0], outer[1] + inner_count * inner[1]


def main():
    cpus = sys.argv[1:] or ['apple-m1', 'neoverse-v2']
    version = re.search(r'LLVM version (\S+)', subprocess.check_output([MCA, '--version'], text=True))[1]
    print(f'llvm-mca {version}; ' + subprocess.check_output([CC, '--version'], text=True).splitlines()[0])
    types = [('q4_0', 18, 1), ('q8_0', 34, 1), ('q4k', 144, 2), ('q6k', 210, 2), ('q5k', 176, 2), ('iq4xs', 136, 2)]
    with tempfile.TemporaryDirectory() as folder:
        for level in ('dotprod', 'neon'):
            found = functions('matvec_' + level, folder)
            for cpu in cpus:
                for name, size, inner in types:
                    for columns, which in ((1, 'one'), (2, 'two')):
                        if name + '_rows_' + which not in found:
                            continue
                        n, count = loop_cost(found[name + '_rows_' + which], cpu, inner)
                        print(f'matvec {level:8} {cpu:12} {name:6} {columns} columns: {n / 4:7.2f} cycles per block, '
                              f'{count / 4:6.1f} instructions, {4 * size / n:5.1f} bytes per cycle')
        for level in ('dotprod', 'i8mm'):
            found = functions('matmul_' + level, folder)
            for cpu in cpus:
                for name, k, inner in (('simple', 32, 1), ('wide', 256, 8), ('wide_minima', 256, 8), ('narrow', 256, 16)):
                    n, count = loop_cost(found['kernel_' + name], cpu, inner)
                    print(f'matmul {level:8} {cpu:12} {name:12} {n:7.1f} cycles per tile of 8 x 4 x {k}, '
                          f'{count:4} instructions, {32 * k / n:5.1f} products per cycle')


main()
