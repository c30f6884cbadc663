#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write tests/golden/quants/T.bin and T.f32: two random blocks of every type, and their values.

Usage: make_quants.py CODEBOOKS.json FOLDER

The values are computed here from the formats' formulas with Python's exact fractions, rounded to f32 where the formula
rounds, independently of the C code. CODEBOOKS.json is the file kernels/tools/make_iq_tables.py reads.
"""
import json
import random
import struct
import sys
from fractions import Fraction
from pathlib import Path


def f32(x):
    """The nearest f32, as an exact float (double rounding cannot happen: x has few bits, or is a sum of two such)."""
    return struct.unpack('<f', struct.pack('<f', float(x)))[0]


def f16_at(b, k):
    return Fraction(struct.unpack_from('<e', b, k)[0])


def u16(b, k):
    return b[k] | b[k + 1] << 8


def u32(b, k):
    return u16(b, k) | u16(b, k + 2) << 16


def s8(v):
    return v - 256 if v > 127 else v


def nib(v, h):
    return v >> 4 * h & 15


def bit(v, n):
    return v >> n & 1


def k4(s, j):
    if j < 4:
        return s[j] & 63, s[j + 4] & 63
    return (s[j + 4] & 15) + 16 * (s[j - 4] >> 6), (s[j + 4] >> 4) + 16 * (s[j] >> 6)


def q2k(b, i):
    h, g, l, s = i // 128, i % 128 // 32, i % 32, b[i // 16]
    return f16_at(b, 80) * (s & 15) * (b[16 + 32 * h + l] >> 2 * g & 3) - f16_at(b, 82) * (s >> 4)


def q3k(b, i):
    h, g, l, j = i // 128, i % 128 // 32, i % 32, i // 16
    q = (b[32 + 32 * h + l] >> 2 * g & 3) + 4 * bit(b[l], 4 * h + g)
    sc = nib(b[96 + j % 8], j // 8) + 16 * (b[104 + j % 4] >> 2 * (j // 4) & 3) - 32
    return f16_at(b, 108) * sc * (q - 4)


def q4k(b, i):
    sc, m = k4(b[4:16], i // 32)
    return f16_at(b, 0) * sc * nib(b[16 + 32 * (i // 64) + i % 32], i // 32 % 2) - f16_at(b, 2) * m


def q5k(b, i):
    sc, m = k4(b[4:16], i // 32)
    q = nib(b[48 + 32 * (i // 64) + i % 32], i // 32 % 2) + 16 * bit(b[16 + i % 32], i // 32)
    return f16_at(b, 0) * sc * q - f16_at(b, 2) * m


def q6k(b, i):
    h, g, l = i // 128, i % 128 // 32, i % 32
    q = nib(b[64 * h + 32 * (g % 2) + l], g // 2) + 16 * (b[128 + 32 * h + l] >> 2 * g & 3) - 32
    return f16_at(b, 208) * s8(b[192 + i // 16]) * q


def trit(v, n):
    return ((v * 3 ** n % 256) * 3 >> 8) - 1


def tq1(b, i):
    if i < 160:
        t = trit(b[i % 32], i // 32)
    elif i < 240:
        t = trit(b[32 + (i - 160) % 16], (i - 160) // 16)
    else:
        t = trit(b[48 + (i - 240) % 4], (i - 240) // 4)
    return f16_at(b, 52) * t


def ue4m3(x):
    e, m = x >> 3 & 15, x & 7
    if x in (0, 127):
        return 0
    return Fraction(1, 2) * (m * Fraction(1, 512) if e == 0 else (1 + Fraction(m, 8)) * Fraction(2) ** (e - 7))


def formats(tables):
    v4, fp4, signs = tables['kvalues_iq4nl'], tables['kvalues_fp4'], tables['ksigns_iq2xs']
    half, quarter = Fraction(1, 2), Fraction(1, 4)

    def sg(byte, j):
        return -1 if bit(byte, j) else 1

    def iq4xs(b, i):
        n, r = i // 32, i % 32
        ls = nib(b[4 + n // 2], n % 2) + 16 * (u16(b, 2) >> 2 * n & 3)
        return f16_at(b, 0) * (ls - 32) * v4[nib(b[8 + 16 * n + r % 16], r // 16)]

    def iq2xxs(b, i):
        n, k, j = i // 32, i // 8 % 4, i % 8
        w = u32(b, 2 + 8 * n + 4)
        return f16_at(b, 0) * (half + (w >> 28)) / 4 * tables['iq2xxs_grid'][b[2 + 8 * n + k]][j] * sg(signs[w >> 7 * k & 127], j)

    def iq2xs(b, i):
        q, sc = u16(b, 2 + 2 * (i // 8)), nib(b[66 + i // 32], i // 16 % 2)
        return f16_at(b, 0) * (half + sc) * quarter * tables['iq2xs_grid'][q & 511][i % 8] * sg(signs[q >> 9], i % 8)

    def iq2s(b, i):
        g, n, k = i // 8, i // 32, i // 8 % 4
        index, sc = b[2 + g] + 256 * (b[66 + n] >> 2 * k & 3), nib(b[74 + n], i // 16 % 2)
        return f16_at(b, 0) * (half + sc) * quarter * tables['iq2s_grid'][index][i % 8] * sg(b[34 + g], i % 8)

    def iq3xxs(b, i):
        w = u32(b, 66 + 4 * (i // 32))
        s = signs[w >> 7 * (i // 8 % 4) & 127]
        return f16_at(b, 0) * (half + (w >> 28)) * half * tables['iq3xxs_grid'][b[2 + i // 4]][i % 4] * sg(s, i % 8)

    def iq3s(b, i):
        f, n = i // 4, i // 32
        index, sc = b[2 + f] + 256 * bit(b[66 + f // 8], f % 8), nib(b[106 + n // 2], n % 2)
        return f16_at(b, 0) * (1 + 2 * sc) * tables['iq3s_grid'][index][i % 4] * sg(b[74 + i // 8], i % 8)

    def iq1(scale, index, shift, j):
        return scale * (tables['iq1s_grid'][index][j] + (Fraction(-1, 8) if shift else Fraction(1, 8)))

    def iq1s(b, i):
        h = u16(b, 34 + 2 * (i // 32))
        index = b[2 + i // 8] + 256 * (h >> 3 * (i // 8 % 4) & 7)
        return iq1(f16_at(b, 0) * (2 * (h >> 12 & 7) + 1), index, bit(h, 15), i % 8)

    def iq1m(b, i):
        words = [u16(b, 48 + 2 * k) for k in range(4)]
        d = f16_at(struct.pack('<H', sum((w >> 12) << 4 * k for k, w in enumerate(words))), 0)
        g, s = i // 8, i // 16
        t = nib(b[32 + g // 2], g % 2)
        return iq1(d * (2 * (words[s // 4] >> 3 * (s % 4) & 7) + 1), b[g] + 256 * (t & 7), bit(t, 3), i % 8)

    # name: values, bytes, places of f16 fields, value of element i
    return {
        'f16': (1, 2, [0], lambda b, i: f16_at(b, 0)),
        'bf16': (1, 2, [], lambda b, i: struct.unpack('<f', b'\0\0' + b)[0]),
        'f64': (1, 8, [], lambda b, i: struct.unpack('<d', b)[0]),
        'i8': (1, 1, [], lambda b, i: s8(b[0])),
        'i16': (1, 2, [], lambda b, i: struct.unpack('<h', b)[0]),
        'i32': (1, 4, [], lambda b, i: struct.unpack('<i', b)[0]),
        'i64': (1, 8, [], lambda b, i: struct.unpack('<q', b)[0]),
        'q4_0': (32, 18, [0], lambda b, i: f16_at(b, 0) * (nib(b[2 + i % 16], i // 16) - 8)),
        'q4_1': (32, 20, [0, 2], lambda b, i: f16_at(b, 0) * nib(b[4 + i % 16], i // 16) + f16_at(b, 2)),
        'q5_0': (32, 22, [0], lambda b, i: f16_at(b, 0) * (nib(b[6 + i % 16], i // 16) + 16 * bit(u32(b, 2), i) - 16)),
        'q5_1': (32, 24, [0, 2], lambda b, i: f16_at(b, 0) * (nib(b[8 + i % 16], i // 16) + 16 * bit(u32(b, 4), i)) + f16_at(b, 2)),
        'q8_0': (32, 34, [0], lambda b, i: f16_at(b, 0) * s8(b[2 + i])),
        'q8_1': (32, 36, [0, 2], lambda b, i: f16_at(b, 0) * s8(b[4 + i])),
        'q8_K': (256, 292, [], lambda b, i: Fraction(struct.unpack_from('<f', b, 0)[0]) * s8(b[4 + i])),
        'q1_0': (128, 18, [0], lambda b, i: f16_at(b, 0) * (1 if bit(b[2 + i // 8], i % 8) else -1)),
        'q2_0': (64, 18, [0], lambda b, i: f16_at(b, 0) * ((b[2 + i // 4] >> 2 * (i % 4) & 3) - 1)),
        'q2_K': (256, 84, [80, 82], q2k),
        'q3_K': (256, 110, [108], q3k),
        'q4_K': (256, 144, [0, 2], q4k),
        'q5_K': (256, 176, [0, 2], q5k),
        'q6_K': (256, 210, [208], q6k),
        'tq1_0': (256, 54, [52], tq1),
        'tq2_0': (256, 66, [64], lambda b, i: f16_at(b, 64) * ((b[32 * (i // 128) + i % 32] >> 2 * (i % 128 // 32) & 3) - 1)),
        'mxfp4': (32, 17, [], lambda b, i: Fraction(2) ** (b[0] - 128) * fp4[nib(b[1 + i % 16], i // 16)]),
        'nvfp4': (64, 36, [], lambda b, i: ue4m3(b[i // 16]) * fp4[nib(b[4 + 8 * (i // 16) + i % 8], i % 16 // 8)]),
        'iq4_nl': (32, 18, [0], lambda b, i: f16_at(b, 0) * v4[nib(b[2 + i % 16], i // 16)]),
        'iq4_xs': (256, 136, [0], iq4xs),
        'iq2_xxs': (256, 66, [0], iq2xxs),
        'iq2_xs': (256, 74, [0], iq2xs),
        'iq2_s': (256, 82, [0], iq2s),
        'iq3_xxs': (256, 98, [0], iq3xxs),
        'iq3_s': (256, 110, [0], iq3s),
        'iq1_s': (256, 50, [0], iq1s),
        'iq1_m': (256, 56, [], iq1m),
    }


def draw(rng, name, size, halves):
    """A random block whose values are finite and not subnormal; zero scales and the edges of exponents do occur."""
    b = bytearray(rng.randbytes(size))
    for k in halves:
        struct.pack_into('<e', b, k, rng.choice([-1, 1]) * rng.random() * 2.0 ** rng.randrange(-13, 8))
    if name == 'iq1_m':
        b[55] = b[55] & 0x0F | 0x30  # a half whose exponent is not the largest
    if name == 'q8_K':
        struct.pack_into('<f', b, 0, rng.random())
    if name == 'mxfp4':
        b[0] = rng.randrange(0, 250)
    if name == 'bf16':
        b[1] = rng.choice([0x3E, 0x3F, 0x40, 0xBF])
    if name == 'f64':
        struct.pack_into('<d', b, 0, rng.gauss(0, 1))
    return bytes(b)


def main():
    with open(sys.argv[1], encoding='utf-8') as file:
        tables = json.load(file)
    folder = Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for name, (values, size, halves, value) in formats(tables).items():
        rng = random.Random(name)
        blocks = [draw(rng, name, size, halves) for _ in range(2 if values > 1 else 32)]
        numbers = [f32(value(b, i)) for b in blocks for i in range(values)]
        (folder / f'{name}.bin').write_bytes(b''.join(blocks))
        (folder / f'{name}.f32').write_bytes(struct.pack(f'<{len(numbers)}f', *numbers))


main()
