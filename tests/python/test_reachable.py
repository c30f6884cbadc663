#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every public function is called by the package, or listed with the reason why it need not be, in unbound.txt.

usage: test_reachable.py     needs nothing but the sources; also run by pytest
"""
import pathlib
import re
import sys
from typing import Dict, List, Set

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bindings" / "python"))
from declarations import Declarations  # noqa: E402


def called() -> Set[str]:
    found: Set[str] = set()
    for path in (ROOT / "bindings" / "python" / "lm").glob("*.py"):
        found |= set(re.findall(r"\braw\.(lm_\w+)\b", path.read_text(encoding="utf-8")))
        found |= set(re.findall(r"from \._raw import (lm_\w+)", path.read_text(encoding="utf-8")))
    return found


def listed() -> Dict[str, str]:
    """name -> reason"""
    lines = (ROOT / "bindings" / "python" / "unbound.txt").read_text(encoding="utf-8").splitlines()
    return {name: reason for name, _, reason in (line.partition(" ") for line in lines if line and not line.startswith("#"))}


def problems() -> List[str]:
    declarations = Declarations(ROOT / "include" / "lm")
    functions, used, unbound = set(declarations.functions), called(), listed()
    found = [f"{name} is neither called by bindings/python/lm nor listed in unbound.txt" for name in sorted(functions - used - set(unbound))]
    found += [f"{name} is listed in unbound.txt and called" for name in sorted(used & set(unbound))]
    found += [f"{name} is listed in unbound.txt and does not exist" for name in sorted(set(unbound) - functions)]
    found += [f"{name} is listed in unbound.txt without a reason" for name, reason in unbound.items() if len(reason.split()) < 3]
    known = functions | set(declarations.structs) | set(declarations.enums) | set(declarations.opaque)
    found += [f"bindings/python/lm names {name}, which is not public" for name in sorted(used - known)]
    return found


def test_every_public_function_is_reachable() -> None:
    assert problems() == []


if __name__ == "__main__":
    print("\n".join(problems()) or f"{len(Declarations(ROOT / 'include' / 'lm').functions)} functions")
    sys.exit(1 if problems() else 0)
