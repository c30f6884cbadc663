#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compare the logits of programs made of rows.c: with the golden files, and byte by byte with the first program's.

usage: check_rows.py MODELS_FOLDER PROGRAM...
"""
import array
import json
import pathlib
import subprocess
import sys


def rows(program, model, cpu, tokens):
    return subprocess.run([program, model, cpu, *map(str, tokens)], check=True, capture_output=True).stdout


def check_golden(name, fixture, folder, found):
    n_positions, n_vocab = fixture["shape"]
    expected, got = array.array("f"), array.array("f", found)
    expected.frombytes((folder / fixture["logits"]).read_bytes())
    worst = max(abs(got[position * n_vocab + v] - expected[p * n_vocab + v])
                for p, position in enumerate(fixture["positions"]) for v in range(n_vocab))
    allowed = fixture["tolerance"]["max_abs"]
    if len(got) != len(fixture["tokens"]) * n_vocab or not worst <= allowed or n_positions < 1:
        print(f"{name}: off by {worst} at most, {allowed} allowed")
        return False
    return True


def main():
    folder, programs = pathlib.Path(sys.argv[1]), sys.argv[2:]
    compared, bad = 0, 0
    for path in sorted(folder.glob("*.json")):
        fixture = json.loads(path.read_text(encoding="utf-8"))
        if "logits" not in fixture or "tolerance" not in fixture:
            continue
        model = str(path.with_suffix(".gguf"))
        first = rows(programs[0], model, "best", fixture["tokens"])
        bad += not check_golden(path.stem, fixture, folder, first)
        for program in programs:
            for cpu in ("best", "generic"):
                if rows(program, model, cpu, fixture["tokens"]) != first:
                    print(f"{path.stem}: {program} on {cpu} gives other bytes than {programs[0]}")
                    bad += 1
                compared += 1
    print(f"{compared} evaluations compared, {bad} wrong")
    return 1 if bad or not compared else 0


if __name__ == "__main__":
    sys.exit(main())
