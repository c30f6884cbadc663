#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The comparison with the stored description (abi.sh) fails where the binary interface breaks.

usage: test_breaks.py SOURCE_ROOT COMPILER...

Each case compiles the library's front door - the files that define what is public; what they call stays undefined - from headers or a
map with one break in them. The door from unchanged files must pass: else the failures would mean nothing.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

DOOR = ["lib/api", "lib/session", "lib/base"]
# What, the file, what is replaced there and by what.
BREAKS = [
    ("a function that is gone", "lib/liblm.map", r"^ +lm_tokenize;\n", ""),
    ("a function under another version", "lib/liblm.map", r"^LM_0\.1 ", "LM_0.2 "),
    ("a parameter of another size", "include/lm/context.h", r"typedef int32_t lm_seq;", "typedef int64_t lm_seq;"),
    ("a struct that shrank", "include/lm/base.h", r"char message\[496\];", "char message[240];"),
    ("members that changed places", "include/lm/sampler.h", r"^( +int32_t top_k;.*\n)( +float top_p;.*\n)", r"\2\1"),
    ("a number given to another status", "include/lm/base.h", r"LM_ERR_RANGE = 3\b", "LM_ERR_RANGE = 63"),
]


def check(root, at, compiler):
    """abi.sh's verdict on the door as the tree under at has it"""
    sources = [str(file) for folder in DOOR for file in sorted((root / folder).glob("*.c"))]
    subprocess.run([*compiler, "-g", "-O0", "-fPIC", "-shared", "-std=c11", "-fvisibility=hidden", "-DLM_BUILDING", "-w", f"-I{at / 'include'}",
                    f"-Wl,--version-script={at / 'lib/liblm.map'}", "-Wl,-soname,liblm.so.0", *sources, "-o", at / "liblm.so"], check=True)
    return subprocess.run([at / "tests/abi/abi.sh", "check", at / "liblm.so"], capture_output=True, text=True)


def main():
    root, compiler, failed = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:], 0
    if not shutil.which("abidiff"):
        print("skipped: there is no abidiff here")
        return 77
    for what, file, pattern, replacement in [("nothing", None, None, None), *BREAKS]:
        with tempfile.TemporaryDirectory() as folder:
            at = pathlib.Path(folder)
            for part in ["include", "tests/abi"]:
                shutil.copytree(root / part, at / part)
            (at / "lib").mkdir()
            shutil.copy(root / "lib/liblm.map", at / "lib")
            if file:
                text, n = re.subn(pattern, replacement, (at / file).read_text(), flags=re.M)
                if n != 1:
                    sys.exit(f"{what}: {file} has {n} places to break")
                (at / file).write_text(text)
            result = check(root, at, compiler)
        right = (result.returncode != 0) == (file is not None)
        print(f"{'ok' if right else 'WRONG'}: {what} {'fails' if result.returncode else 'passes'}")
        if not right:
            failed += 1
            print(result.stdout[-3000:], result.stderr[-1000:])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
