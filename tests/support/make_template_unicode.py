#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write lib/template/template_unicode_tables.c: where this Python's upper(), lower() and title() are not the simple case mapping.

  make_template_unicode.py > lib/template/template_unicode_tables.c
"""
import unicodedata

LAST = 0x110000
codes = [c for c in range(LAST) if not 0xD800 <= c < 0xE000]


def case_runs(convert):
    """(first, last, stride, delta) of single-character mappings; (code, text) of the longer ones."""
    simple, special = [], []
    for c in codes:
        if c < 128:
            continue
        text = convert(chr(c))
        if text == chr(c):
            continue
        if len(text) > 1:
            special.append((c, text))
        else:
            simple.append((c, ord(text) - c))
    runs = []
    for c, delta in simple:
        if runs and runs[-1][3] == delta:
            first, last, stride, _ = runs[-1]
            if (first == last and c - last in (1, 2)) or (first != last and c - last == stride):
                runs[-1] = (first, c, c - last, delta)
                continue
        runs.append((c, c, 1, delta))
    return runs, special


def write_runs(name, comment, runs):
    print(f"/* {comment} */\nconst lm_case_run {name}[] = {{")
    for i in range(0, len(runs), 5):
        print("    " + " ".join("{0x%X, 0x%X, %d, %d}," % r for r in runs[i:i + 5]))
    print(f"}};\nconst size_t {name}_n = sizeof {name} / sizeof *{name};\n")


def write_special(name, comment, special):
    print(f"/* {comment} */\nconst lm_case_special {name}[] = {{")
    for i in range(0, len(special), 4):
        print("    " + " ".join('{0x%X, "%s"},' % (c, "".join("\\%03o" % b for b in t.encode())) for c, t in special[i:i + 4]))
    print(f"}};\nconst size_t {name}_n = sizeof {name} / sizeof *{name};\n")


upper, upper_special = case_runs(str.upper)
lower, lower_special = case_runs(str.lower)
title, title_special = case_runs(str.title)
title = [r for r in title if r not in upper]
title_special = [s for s in title_special if s not in upper_special]
print(f"""/* SPDX-License-Identifier: MIT
 * Upper, lower and title case that is not the simple mapping of vocab/unicode.h, Unicode {unicodedata.unidata_version}. Written by
 * tests/support/make_template_unicode.py. */
#include "template_unicode.h"

/* clang-format off */
""", end="")
write_special("lm_case_upper_special", "upper case that is more than one character", upper_special)
write_special("lm_case_lower_special", "lower case that is more than one character", lower_special)
write_runs("lm_case_title", "title case where it is not the upper case: first, last, stride, what to add", title)
write_special("lm_case_title_special", "title case that is more than one character and not the upper case", title_special)
print("/* clang-format on */")
