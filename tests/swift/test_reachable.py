#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Everything public in C is reachable from Swift, or bindings/swift/unbound.txt says why it need not be.

usage: test_reachable.py SOURCE_ROOT

Reads tests/abi/symbols.txt for the functions and include/lm for the fields of parameter and result structs, and looks for them in
the sources of the module LM. Needs no Swift.
"""
import pathlib
import re
import sys

# Structs of people who write a backend, or whose every member is documented as one value.
NOT_OURS = {"backend.h", "ops.h"}
NEVER = {"struct_size", "reserved"}


def fields(text):
    """(struct, field) of every struct of a header."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    for name, body in re.findall(r"typedef struct (lm_\w+) \{(.*?)\}\s*lm_\w+;", text, flags=re.S):
        for line in body.split(";"):
            function = re.search(r"\(\*(\w+)\)", line)
            if function:
                yield name, function[1]
                continue
            for part in re.sub(r"\[\w*\]", "", line).split(","):
                word = re.search(r"(\w+)\s*$", part)
                if word:
                    yield name, word[1]


def main():
    root = pathlib.Path(sys.argv[1])
    functions = {line.split()[0] for line in (root / "tests/abi/symbols.txt").read_text().splitlines() if line.startswith("lm_")}
    members = set()
    for header in sorted((root / "include/lm").glob("*.h")):
        if header.name not in NOT_OURS:
            members |= {pair for pair in fields(header.read_text()) if pair[1] not in NEVER}
    sources = "\n".join(re.sub(r"//.*", "", path.read_text()) for path in sorted((root / "bindings/swift/Sources/LM").glob("*.swift")))
    called = set(re.findall(r"\blm_\w+(?=\()", sources))
    # A field is used where its name follows a dot or labels an argument of an initialiser.
    used = {a or b for a, b in re.findall(r"\.(\w+)\b|[(,]\s*(\w+):", sources)}
    unbound = {}
    for line in (root / "bindings/swift/unbound.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, reason = line.partition(" ")
            unbound[name] = reason
    names = functions | {f"{struct}.{field}" for struct, field in members}
    problems = [f"{name} is neither called nor in unbound.txt" for name in sorted(functions - called - unbound.keys())]
    problems += [f"{struct}.{field} is neither used nor in unbound.txt" for struct, field in sorted(members)
                 if field not in used and f"{struct}.{field}" not in unbound]
    problems += [f"{name} is in unbound.txt and called" for name in sorted(called & unbound.keys())]
    problems += [f"{name} is in unbound.txt and does not exist" for name in sorted(unbound.keys() - names)]
    problems += [f"{name} is in unbound.txt without a reason" for name, reason in unbound.items() if len(reason.split()) < 2]
    print("\n".join(problems) or f"{len(functions)} functions, {len(members)} fields, {len(unbound)} of them with a reason not to be bound")
    return 1 if problems or len(functions) < 100 or len(members) < 100 else 0


if __name__ == "__main__":
    sys.exit(main())
