#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The first programs of README.md and doc/chat.md as they stand: they open the built-in model and say what the pages promise.

usage: test_examples.py SOURCE_ROOT BUILD_ROOT MINIMAL CHAT

A block of shell commands that is followed by a block of text is run, without what installs and builds, in a folder that looks like a built
clone: it must print that text, or begin with it.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT, BUILD, MINIMAL, CHAT = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve(), sys.argv[3], sys.argv[4]


def run(*command, lines=""):
    return subprocess.run([str(word) for word in command], input=lines, text=True, encoding="utf-8", capture_output=True)


def shown_commands(page):
    """Pairs of a script and what it prints."""
    for match in re.finditer(r"^```sh\n([^`]*)^```\n\n```text\n(.*?)^```$", page.read_text(encoding="utf-8"), flags=re.S | re.M):
        yield "".join(line for line in match[1].splitlines(True) if not line.startswith(("sudo ", "meson "))), match[2].strip()


def main():
    problems = []

    def check(what, good):
        if not good:
            problems.append(what)

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    program = (ROOT / "examples/minimal.c").read_text(encoding="utf-8").split("*/\n", 1)[1]
    check("README.md does not print examples/minimal.c", f"```c\n{program}```\n" in readme)
    story = run(MINIMAL)
    check(f"minimal: {story}", story.returncode == 0 and story.stdout.startswith("Once upon a time a "))
    other = run(MINIMAL, ROOT / "tests/golden/models/qwen3.gguf")
    check(f"minimal with a file: {other}", other.returncode == 0 and len(other.stdout.strip()) > len("Once upon a time"))
    encoder = run(MINIMAL, ROOT / "tests/golden/models/bert.gguf")
    check(f"minimal with an encoder: {encoder}", encoder.returncode == 1 and "logits" in encoder.stderr)
    for program in (MINIMAL, CHAT):
        missing = run(program, "no-such.gguf", lines="Hello!\n")
        check(f"{program} without its file: {missing}", missing.returncode == 1 and missing.stdout == "" and "no-such.gguf" in missing.stderr)

    with tempfile.TemporaryDirectory() as folder:
        for name, to in (("build", BUILD), ("examples", ROOT / "examples"), ("include", ROOT / "include")):
            (pathlib.Path(folder) / name).symlink_to(to)
        for page, wanted in (("README.md", 2), ("doc/grammars.md", 1)):
            commands = list(shown_commands(ROOT / page))
            check(f"{page} shows {len(commands)} scripts with their output", len(commands) == wanted)
            for script, text in commands:
                result = subprocess.run(["sh", "-c", script], cwd=folder, capture_output=True, text=True, encoding="utf-8")
                check(f"{page}: {script}{result.stdout}{result.stderr}", result.stdout.startswith(text))

    talk = run(CHAT, lines='Hello!\nWhat is the capital of France?\nSay "hi\\there"\nThank you!\n')
    answers = talk.stdout.splitlines()
    check(f"chat: {talk}", talk.returncode == 0 and talk.stderr == "" and len(answers) == 4)
    check(f"chat: {answers}", answers[:2] == ["Hello! How can I help you?", "The capital of France is Paris."] and answers[-1] == "You are welcome!")
    long = run(CHAT, lines="a" * 70000)
    check(f"chat with a long line: {long}", long.returncode == 1 and long.stdout == "" and "longer than" in long.stderr)
    print("\n".join(problems) or "the first programs keep their pages' word")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
