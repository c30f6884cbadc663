#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What SwiftPM would only say on a machine with Swift: Package.swift leaves out every file under lib/ and kernels/ that is not C, and
the Swift of README.md is the program of tests/consumers/swiftpm.

usage: test_manifest.py SOURCE_ROOT
"""
import pathlib
import re
import sys


def excluded(manifest):
    rooms = re.findall(r'"(\w+)"', re.search(r"let rooms = \[(.*?)\]", manifest, flags=re.S)[1])
    paths = re.findall(r'"([\w./]+)"', re.search(r"exclude: \[(.*?)\]", manifest, flags=re.S)[1])
    return set(paths) | {f"lib/{room}/meson.build" for room in rooms}


def main():
    root = pathlib.Path(sys.argv[1])
    manifest = (root / "Package.swift").read_text()
    left_out = excluded(manifest)
    problems = [f"Package.swift leaves out {path}, which does not exist" for path in sorted(left_out) if not (root / path).exists()]
    n = 0
    for path in sorted([*(root / "lib").rglob("*"), *(root / "kernels").rglob("*")]):
        name = path.relative_to(root).as_posix()
        if not path.is_file() or "__pycache__" in name:
            continue
        n += 1
        covered = name in left_out or any(name.startswith(other + "/") for other in left_out)
        if path.suffix not in (".c", ".h") and not covered:
            problems.append(f"Package.swift does not leave out {name}, and SwiftPM would compile it")
        if path.suffix in (".c", ".h") and covered:
            problems.append(f"Package.swift leaves out {name}")
    if "unsafeFlags" in manifest:
        problems.append("Package.swift uses unsafe flags: packages that depend on it would be refused")
    program = (root / "tests/consumers/swiftpm/Sources/hello/main.swift").read_text()
    shown = re.findall(r"^```swift\n(.*?)^```$", (root / "README.md").read_text(), flags=re.S | re.M)
    if program.split("\n", 1)[1] not in shown:
        problems.append("README.md does not show tests/consumers/swiftpm/Sources/hello/main.swift")
    print("\n".join(problems) or f"{n} files, {len(left_out)} left out")
    return 1 if problems or not n else 0


if __name__ == "__main__":
    sys.exit(main())
