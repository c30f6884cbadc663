#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prove what the tree promises about itself.

usage: test_structure.py files SOURCE_ROOT
           who includes whom, the SPDX line of every file, every source listed in its meson.build, file names unique
       test_structure.py library STATIC_LIBRARY [SHARED_LIBRARY]
           no symbol that could kill or surprise a host, no mutable data, only names with our prefix
"""
import pathlib
import re
import subprocess
import sys

# A room may include rooms on lower lines, never its own line or above.
LAYERS = [
    ["base", "os"],
    ["tensor", "thread"],
    ["graph", "gguf"],
    ["vocab", "backend"],
    ["arch", "kv", "grammar", "runtime", "template", "reply"],
    ["model", "sampler"],
    ["context", "chat"],
    ["api"],
    ["session"],  # speaks to the rooms through the public functions, as a host would
]
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
SAME_LEVEL = {("os", "base")}
# Rooms that may include kernels/: all of it, or only the headers named.
KERNELS = {"lib/backend/cpu": None, "lib/tensor": {"blocks.h"}}

STANDARD = set("""assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign stdarg stdatomic
stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar wchar wctype""".split())
PUBLIC = {"stddef", "stdint"}  # what include/lm may ask of the C library
INTRINSICS = {"immintrin.h", "cpuid.h", "intrin.h", "arm_neon.h", "arm_bf16.h", "arm_fp16.h", "sys/auxv.h", "asm/hwcap.h",
              "sys/sysctl.h", "windows.h"}

FORBIDDEN = set("""abort exit _exit _Exit quick_exit atexit __assert_fail __assert_rtn signal sigaction raise kill system fork
printf fprintf sprintf snprintf vprintf vfprintf vsprintf vsnprintf puts putchar fputs fputc putc fwrite perror
__printf_chk __fprintf_chk __sprintf_chk __snprintf_chk __vsnprintf_chk __vfprintf_chk stderr stdout stdin
getenv secure_getenv setenv putenv setlocale localeconv newlocale uselocale
strtod strtof strtol strtoul strtoll strtoull atof atoi atol scanf sscanf __isoc99_sscanf strerror
isalpha isdigit isspace isalnum isupper islower ispunct isprint tolower toupper __ctype_b_loc __ctype_tolower_loc
localtime localtime_r gmtime mktime strftime tzset rand srand random strtok socket connect dlopen""".split())

# Departures from the rules that are known and to be mended: the text of the problem without its line number. Remove a
# line when the script says that it no longer occurs.
EXCEPTIONS = set()

problems = []
excused = set()


def problem(text):
    known = re.sub(r"^([^:]+):\d+:", r"\1:", text)
    if known in EXCEPTIONS:
        excused.add(known)
    else:
        problems.append(text)


def includes(path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if match:
            yield number, match[1] == "<", match[2]


def check_public(root, path):
    for number, system, name in includes(path):
        where = f"{path.relative_to(root)}:{number}"
        if system and name.removesuffix(".h") not in PUBLIC:
            problem(f"{where}: a public header includes <{name}>")
        if not system and not (path.parent / name).is_file():
            problem(f'{where}: "{name}" is not a public header')


def check_kernels(root, path):
    for number, system, name in includes(path):
        where = f"{path.relative_to(root)}:{number}"
        if system:
            if name.removesuffix(".h") not in STANDARD and name not in INTRINSICS:
                problem(f"{where}: kernels may not include <{name}>")
            continue
        target = (path.parent / name).resolve()
        if not target.is_file() or (root / "kernels") not in target.parents:
            problem(f'{where}: kernels include only kernels/, not "{name}"')


def may_use_kernels(place, target):
    for folder, names in KERNELS.items():
        if place == folder or place.startswith(folder + "/"):
            return names is None or target.name in names
    return False


def check_room(root, path):
    place = path.parent.relative_to(root).as_posix()
    room = place.split("/")[1]
    if room not in LEVEL:
        problem(f"{place}: a room that the drawing does not show")
        return
    for number, system, name in includes(path):
        where = f"{path.relative_to(root)}:{number}"
        if system:
            public = name.startswith("lm/")
            if public and not (root / "include" / name).is_file():
                problem(f"{where}: <{name}> does not exist")
            if not public and room != "os" and name.removesuffix(".h") not in STANDARD:
                problem(f"{where}: only lib/os may include <{name}>")
            continue
        target = (path.parent / name).resolve()
        if not target.is_file():
            problem(f'{where}: "{name}" does not exist')
            continue
        parts = target.relative_to(root).parts
        if parts[0] == "kernels":
            if not may_use_kernels(place, target):
                problem(f'{where}: {place} may not include "{name}"')
        elif parts[0] != "lib":
            problem(f'{where}: lib/ may not include "{name}"')
        elif parts[1] != room and LEVEL.get(parts[1], 99) >= LEVEL[room] and (room, parts[1]) not in SAME_LEVEL:
            problem(f"{where}: {room} may not include {parts[1]}")
        elif parts[1] != room and re.search(r"_(internal|private)\.h$", name):
            problem(f"{where}: {name} is private to {parts[1]}")


def check_listing(root, folder):
    """The plain build compiles every file of lib/ and kernels/; meson must compile the same."""
    for path in sorted((root / folder).rglob("*.c")):
        build = path.parent
        while not (build / "meson.build").is_file():
            build = build.parent
        name = path.relative_to(build).as_posix()
        if not re.search(rf"['/]{re.escape(name)}'", (build / "meson.build").read_text()):
            problem(f"{path.relative_to(root)}: not listed in {build.relative_to(root)}/meson.build")


def check_files(root):
    counts = {"include": 0, "kernels": 0, "lib": 0}
    seen = {}
    for top, check in (("include", check_public), ("kernels", check_kernels), ("lib", check_room)):
        for path in sorted((root / top).rglob("*.[ch]")):
            check(root, path)
            counts[top] += 1
            if top != "include" and seen.setdefault(path.name, path) != path:
                problem(f"{path.relative_to(root)}: same name as {seen[path.name].relative_to(root)}")
    for folder in ("lib", "kernels"):
        check_listing(root, folder)
    suffixes = {".c", ".h", ".py", ".build", ".swift"}
    for top in ("include", "lib", "kernels", "tests", "examples", "bindings"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix not in suffixes or not path.is_file() or {"seeds", ".build"} & set(path.parts):
                continue
            head = path.read_text(encoding="utf-8").splitlines()[:3]
            # What must be the first line by the rules of its reader comes before.
            first = head[1] if head and head[0].startswith(("#!", "// swift-tools-version")) else head[0] if head else ""
            if not re.match(r"(/\*|//|#) SPDX-License-Identifier: MIT( \*/)?$", first):
                problem(f"{path.relative_to(root)}: does not start with the SPDX line")
    return counts["include"] > 0 and counts["lib"] > 0


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def check_library(static, shared):
    objects = 0
    for line in run("nm", "-A", static):
        match = re.match(r".*?:([^:]+):\s*[0-9a-f]*\s+(\w)\s+(\S+)", line)
        if not match:
            continue
        objects += 1
        where, kind, name = match[1], match[2], match[3].split("@")[0]
        if kind == "U" and name in FORBIDDEN:
            problem(f"{where}: uses {name}")
        if kind in "TDBRCVW" and not name.startswith("lm_"):
            problem(f"{where}: {name} is visible without our prefix")
    for line in run("objdump", "-t", static):
        match = re.match(r"[0-9a-f]+ .{7} (\.t?data\S*|\.t?bss\S*|\*COM\*)\s+([0-9a-f]+)\s+(?:\.hidden )?(\S+)", line)
        # Constants that hold addresses are relocated once and then protected: .data.rel.ro.
        if match and int(match[2], 16) > 0 and not match[1].startswith(".data.rel.ro"):
            problem(f"{match[3]}: mutable data in {match[1]}")
    if shared:
        for line in run("nm", "-D", "--defined-only", shared):
            name = line.split()[-1].split("@")[0]
            if line.split()[-2] != "A" and not name.startswith("lm_"):
                problem(f"{shared}: exports {name}")
    return objects > 0


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in ("files", "library"):
        print(__doc__, file=sys.stderr)
        return 2
    if sys.argv[1] == "files":
        looked = check_files(pathlib.Path(sys.argv[2]).resolve())
        for text in sorted(EXCEPTIONS - excused):
            print(f"EXCEPTIONS lists what no longer occurs, remove it: {text}")
    else:
        looked = check_library(sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None)
    if not looked:
        problem("nothing was found to look at")
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
