#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The built-in model on held-out cases, skill by skill, must reach what examples/box/README.md says, less the chance of a sample.

usage: test_held_out.py EXAMPLES_BOX LIBLM LIBLM_BOX
"""
import math
import sys

N = 200
# Shares of N_MEASURED cases of each skill (examples/box/README.md).
N_MEASURED = 900
MEASURED = {"arithmetic": 0.976, "chat": 0.970, "copying": 0.992, "counting": 0.933, "extraction": 0.971,
            "facts": 0.984, "refusal": 0.982, "sorting": 0.944, "spelling": 0.974, "stories": 0.999,
            "tools": 0.990, "answers from results": 0.999}


def least(share):
    """Two samples of the same model differ by more in fewer than one of a thousand pairs."""
    return share - 3.1 * math.sqrt(max(share * (1 - share), 0.005) * (1 / N + 1 / N_MEASURED))


def main():
    sys.path.insert(0, sys.argv[1])
    from boxgen.evaluate import evaluate
    from boxgen.library import Chat

    chat, failed = Chat(sys.argv[2], sys.argv[3]), 0
    table = evaluate(chat, N, seed=4)
    chat.close()
    for name, (hits, total) in table.items():
        enough = hits / total >= least(MEASURED[name])
        failed += not enough
        print(f"{name:22} {hits} of {total}, at least {100 * least(MEASURED[name]):.1f} %{'' if enough else ': TOO FEW'}")
    return 1 if failed or set(table) != set(MEASURED) else 0


if __name__ == "__main__":
    sys.exit(main())
