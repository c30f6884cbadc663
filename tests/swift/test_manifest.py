#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What SwiftPM would only say on a machine with Swift: Package.swift leaves out every file under lib/ and kernels/ that is not C, and
the Swift of README.md and doc/swift.md is in the programs of tests/consumers/swiftpm.

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
    consumer = root / "tests/consumers/swiftpm"
    known = [path.read_text().split("\n", 1)[1] for path in consumer.glob("Sources/*/main.swift")]
    package = (consumer / "Package.swift").read_text()
    for page, wanted in (("README.md", 1), ("doc/swift.md", 2)):
        shown = re.findall(r"^```swift\n(.*?)^```$", (root / page).read_text(), flags=re.S | re.M)
        if len(shown) < wanted:
            problems.append(f"{page} shows {len(shown)} blocks of Swift")
        for block in shown:
            if block.startswith("// in Package.swift\n"):  # lines of a manifest, with a path of the reader's own
                lines = [line.strip().rstrip(",") for line in block.replace('"../liblm"', '"../../.."').splitlines()[1:]]
                if not all(line.removeprefix("targets: [").removesuffix("]") in package for line in lines):
                    problems.append(f"{page} shows lines that tests/consumers/swiftpm/Package.swift has not")
            elif block not in known:
                problems.append(f"{page} shows a program that is not in tests/consumers/swiftpm:\n{block}")
    print("\n".join(problems) or f"{n} files, {len(left_out)} left out")
    return 1 if problems or not n else 0


if __name__ == "__main__":
    sys.exit(main())
