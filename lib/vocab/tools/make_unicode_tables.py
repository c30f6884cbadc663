#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write lib/vocab/unicode_tables.c: python3 lib/vocab/tools/make_unicode_tables.py > lib/vocab/unicode_tables.c

Needs the package unicodedata2 of the version named below, so that the tables do not depend on the interpreter. The
reference vocabularies were cut with the newest data of their day; their vectors hold with any version since 14.

unicodedata2 has no case mapping. It comes from str.lower() and str.upper() where the interpreter knows the character, and from
the character names (CAPITAL, SMALL) where only the newer data does.
"""
import sys
import unicodedata as old

import unicodedata2 as data

VERSION = "17.0.0"
GENERAL = "Cn Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Cs Co".split()
SPACE = {0x20, 0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, *range(9, 14), *range(0x2000, 0x200B)}
N = 0x110000


def lower(cp):
    c = chr(cp)
    if old.category(c) != "Cn":
        return ord(c.lower()[0])
    if data.category(c) != "Lu":
        return cp
    return renamed(c, "CAPITAL", "SMALL")


def upper(cp):
    c = chr(cp)
    if old.category(c) != "Cn":
        return ord(c.upper()) if len(c.upper()) == 1 else cp
    if data.category(c) != "Ll":
        return cp
    return renamed(c, "SMALL", "CAPITAL")


def renamed(c, word, other):
    try:
        return ord(data.lookup(data.name(c).replace(word, other)))
    except KeyError:
        return ord(c)


def decomposed(cp):
    return cp if 0xD800 <= cp < 0xE000 else ord(data.normalize("NFD", chr(cp))[0])


def behind(cp):
    """What follows the first code point of a decomposition, without nonspacing marks."""
    return [] if 0xD800 <= cp < 0xE000 else [ord(c) for c in data.normalize("NFD", chr(cp))[1:] if data.category(c) != "Mn"]


DIRECT = 0x700  # below, a byte per code point: the scripts whose classes change with every letter


def runs(values):
    """Classes from DIRECT on: 256 code points are a page, equal pages are one, a page is (first low byte, class) of each run."""
    pages, index = {}, []
    for start in range(0, N, 256):
        page = tuple(values[start:start + 256]) if start >= DIRECT else (0,) * 256
        index.append(pages.setdefault(page, len(pages)))
    starts, flat = [0], []
    for page in pages:
        flat += [x for i, v in enumerate(page) if i == 0 or v != page[i - 1] for x in (i, v)]
        starts.append(len(flat) // 2)
    assert len(pages) < 256
    blocks, top = {}, []
    for start in range(0, len(index), 16):
        top.append(blocks.setdefault(tuple(index[start:start + 16]), len(blocks)))
    return top, [v for block in blocks for v in block], starts, flat


def emit(ctype, name, values, width=4):
    print(f"\nconst {ctype} {name}[{len(values)}] = {{")
    line = "   "
    for v in values:
        word = f" 0x{v:x}," if ctype == "uint32_t" else f" {v},"
        if len(line) + len(word) > 126:
            print(line)
            line = "   "
        line += word
    print(line + "\n};")


def case_ranges(convert):
    """(first | count << 21 | step - 1 << 31, delta): every step-th code point from first on maps to itself plus delta."""
    pairs = [(cp, convert(cp) - cp) for cp in range(128, N) if convert(cp) != cp]
    out, i = [], 0
    while i < len(pairs):
        best = 1
        for step in (1, 2):
            j = i + 1
            while j < len(pairs) and pairs[j] == (pairs[j - 1][0] + step, pairs[i][1]):
                j += 1
            if j - i > best:
                best, chosen = j - i, step
        step = chosen if best > 1 else 1
        assert best < 1024
        out.append((pairs[i][0] | best << 21 | (step - 1) << 31, pairs[i][1]))
        i += best
    return out


def numbers(of, category):
    """Characters with such a value outside the category."""
    return [cp for cp in range(128, N) if not 0xD800 <= cp < 0xE000 and of(chr(cp), None) is not None and
            not data.category(chr(cp)).startswith(category)]


def main():
    if data.unidata_version != VERSION:
        sys.exit(f"need unicodedata2 {VERSION}, found {data.unidata_version}")
    classes = [GENERAL.index(data.category(chr(cp))) | (32 if cp in SPACE else 0) for cp in range(N)]
    top, pages, starts, flat = runs(classes)
    lower_ranges, upper_ranges = case_ranges(lower), case_ranges(upper)
    # Hangul syllables decompose by arithmetic. The rest is runs of neighbours, each with the low 16 bits of its first code points,
    # and a bit: not in the first plane, but in that of the character itself, from the first plane in plane 2.
    first = [(cp, decomposed(cp)) for cp in range(N) if decomposed(cp) != cp and not 0xAC00 <= cp < 0xD7A4]
    assert all(b >> 16 in (0, a >> 16 or 2) for a, b in first)
    starting = [i for i, (a, _) in enumerate(first) if i == 0 or first[i - 1][0] != a - 1]
    own_plane = [sum((first[i + k][1] > 0xFFFF) << k for k in range(8) if i + k < len(first)) for i in range(0, len(first), 8)]
    more = [(cp, c) for cp in range(N) if not 0xAC00 <= cp < 0xD7A4 for c in behind(cp)]
    numeric, digit = numbers(data.numeric, "N"), numbers(data.digit, "Nd")
    print("/* SPDX-License-Identifier: MIT")
    print(f" * Generated by lib/vocab/tools/make_unicode_tables.py from Unicode {VERSION}; unicode.h says what the tables hold. */")
    print('#include "unicode.h"')
    emit("uint32_t", "lm_unicode_ascii", [(1 << (c & 31)) | (1 << 31 if c & 32 else 0) for c in classes[:128]])
    emit("uint8_t", "lm_unicode_direct", classes[:DIRECT])
    emit("uint8_t", "lm_unicode_blocks", top)
    emit("uint8_t", "lm_unicode_pages", pages)
    emit("uint16_t", "lm_unicode_starts", starts)
    emit("uint8_t", "lm_unicode_runs", flat)
    for name, ranges in ("lower", lower_ranges), ("upper", upper_ranges):
        print(f"\nconst size_t lm_unicode_{name}_count = {len(ranges)};")
        emit("uint32_t", f"lm_unicode_{name}_from", [a for a, _ in ranges])
        emit("int32_t", f"lm_unicode_{name}_delta", [b for _, b in ranges])
    print(f"\nconst size_t lm_unicode_base_count = {len(starting)};")
    emit("uint32_t", "lm_unicode_base_from", [first[i][0] for i in starting])
    emit("uint16_t", "lm_unicode_base_at", starting + [len(first)])
    emit("uint16_t", "lm_unicode_base_to", [b & 0xFFFF for _, b in first])
    emit("uint8_t", "lm_unicode_base_plane", own_plane)
    print(f"\nconst size_t lm_unicode_parts_count = {len(more)};")
    emit("uint32_t", "lm_unicode_parts_from", [a for a, _ in more])
    emit("uint32_t", "lm_unicode_parts_to", [b for _, b in more])
    for name, values in ("numeric", numeric), ("digit", digit):
        print(f"\nconst size_t lm_unicode_{name}_count = {len(values)};")
        emit("uint32_t", f"lm_unicode_{name}_more", values)
    size = (512 + DIRECT + len(top) + len(pages) + 2 * len(starts) + len(flat) + 8 * len(lower_ranges) + 8 * len(upper_ranges) +
            6 * len(starting) + 2 * len(first) + len(own_plane) + 8 * len(more) + 4 * len(numeric) + 4 * len(digit))
    print(f"{size} bytes", file=sys.stderr)


main()
