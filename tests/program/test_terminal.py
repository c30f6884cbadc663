#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""lm chat at a terminal: what people type is what the model gets, Ctrl-C ends an answer or a line and not the program, Ctrl-D ends.

  test_terminal.py LM        with any of the line editors, or none
"""
import json
import os
import pathlib
import pty
import re
import select
import subprocess
import sys
import tempfile
import time
import unittest

LM = os.path.abspath(sys.argv.pop(1))
MODEL = pathlib.Path(__file__).parents[1] / "golden/session/chat.gguf"
MARKS = b"\x1b[?2004h"  # asks the terminal to mark what is pasted


class Terminal:
    """A program with a terminal of its own; what it shows is in seen."""

    def __init__(self, *arguments, program=(LM,), **environment):
        self.seen = b""
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            os.environ.update({"TERM": "xterm", **environment})
            os.execv(program[0], [*program, *map(str, arguments)])

    def until(self, wanted, timeout=60):
        end = time.monotonic() + timeout
        while not re.search(wanted, self.seen):
            if time.monotonic() > end:
                raise AssertionError(f"{wanted} is not in {self.seen}")
            if select.select([self.file], [], [], 1)[0]:
                self.seen += os.read(self.file, 4096)

    def say(self, text, wanted=rb"> $"):
        self.seen = b""
        os.write(self.file, text.encode() if isinstance(text, str) else text)
        self.until(wanted)

    def end(self):
        """The exit status after Ctrl-D."""
        os.write(self.file, b"\x04")
        end = time.monotonic() + 60
        status = 0, 0
        while status[0] == 0 and time.monotonic() < end:
            if select.select([self.file], [], [], 0.1)[0]:
                try:
                    os.read(self.file, 4096)
                except OSError:  # the terminal is gone with the program
                    pass
            status = os.waitpid(self.pid, os.WNOHANG)
        os.close(self.file)
        return status[1] if status[0] == self.pid else None


class Chat(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.saved = pathlib.Path(self.folder.name) / "saved"

    def messages(self, terminal):
        terminal.say(f"/save {self.saved}\r", rb"saved to (.|\n)*> $")
        return [(m["role"], m["content"]) for m in json.loads(self.saved.read_text("utf-8"))]

    def test_an_answer_is_interrupted(self):
        t = Terminal("chat", MODEL, "--ignore-eos", "-c", 60000, "--cpu", "generic", "--seed", 3, TERM="dumb")
        t.until(rb"> $")
        self.assertNotIn(b"\x1b", t.seen)
        t.say(b"heX\x7fllo\r", rb"llo\r*\n(?s:.){40}")  # the X is taken back; an answer is under way
        t.say(b"\x03\x03", rb"(\n|\^C)> $")  # too often is no harm; the terminal forgets what it has not shown then, as a line end
        messages = self.messages(t)
        self.assertEqual(([role for role, _ in messages], messages[0][1]), (["user", "assistant"], "hello"))
        self.assertEqual(t.end(), 0)

    def test_a_line_is_interrupted(self):
        t = Terminal("chat", MODEL, "-n", 2)
        t.until(rb"> $")
        t.say("one\r", rb"cut off(.|\n)*> $")
        t.say("never mind", rb"mind")
        t.say(b"\x03", rb"\n(\S*)> $")
        t.say("two\r", rb"cut off(.|\n)*> $")
        self.assertEqual([text for role, text in self.messages(t) if role == "user"], ["one", "two"])
        self.assertEqual(t.end(), 0)

    def test_text_beyond_ascii_in_every_locale(self):
        for locale in ("C", "C.UTF-8", "de_DE.UTF-8", "none"):
            t = Terminal("chat", MODEL, "-n", 2, LC_ALL=locale)
            t.until(rb"> $")
            t.say("gr\u00fc\u00dfe \u65e5\u672c \U0001f389\r", rb"cut off(.|\n)*> $")
            self.assertEqual(self.messages(t)[0], ("user", "gr\u00fc\u00dfe \u65e5\u672c \U0001f389"), locale)
            self.assertEqual(t.end(), 0)

    def test_a_paste_is_one_message(self):
        t = Terminal("chat", MODEL, "-n", 2)
        t.until(rb"> $")
        if MARKS not in t.seen:
            t.end()
            self.skipTest("the build edits no lines, or not with marks")
        t.say(b"\x1b[200~one\r\ttwo\n\nthree\x1b[201~ typed\r", rb"cut off(.|\n)*> $")
        t.say(b"\x1b[200~a \x1b[1m b\x1b[201~\x1b[D\x1b[D\x1b[3~c\r", rb"cut off(.|\n)*> $")  # keys after a paste are keys
        users = [text for role, text in self.messages(t) if role == "user"]
        self.assertEqual(users[0], "one\n\ttwo\n\nthree typed")
        self.assertTrue(users[1].endswith("1mcb"), users)
        self.assertEqual(t.end(), 0)

    def test_a_stopped_program_goes_on(self):
        """Ctrl-Z and fg, twice, in the middle of a line: it is still there, and the shell has its terminal in between."""
        t = Terminal(PS1="$ ", program=("/bin/sh", "-i"))
        t.until(rb"[$#] $")
        t.say(f"{LM} chat {MODEL} -n 2\n", rb"Ctrl-D ends(.|\n)*> $")
        edited = MARKS in t.seen
        if edited:
            t.say("hello", rb"hello$")
            for _ in range(2):
                t.say(b"\x1a", rb"(Stopped|Suspended)(.|\n)*[$#] $")
                t.say("echo an$((1))swer\n", rb"\nan1swer(.|\n)*[$#] $")
                t.say("fg\n", re.escape(MARKS) + rb"(> hello|(?!.*\n))$")
            t.say(" world\r", rb"cut off(.|\n)*> $")
            self.assertEqual(self.messages(t)[0], ("user", "hello world"))
        t.say(b"\x04", rb"[$#] $")
        t.end()
        if not edited:
            self.skipTest("the build edits no lines, or not with marks")

    def test_results_go_to_standard_output_alone(self):
        """At a terminal with the output in a file: no prompt, no echo and no color in it."""
        out = pathlib.Path(self.folder.name) / "out"
        t = Terminal("chat", MODEL, "-n", 2)
        t.until(rb"> $")
        self.assertEqual(t.end(), 0)
        terminal, child = pty.openpty()
        with open(out, "wb") as file:
            process = subprocess.Popen([LM, "chat", MODEL, "-n", "2", "--seed", "1"], stdin=child, stdout=file, stderr=child, start_new_session=True)
        os.close(child)
        seen = b""
        for text, wanted in (("hello\r", rb"> $"), ("\x04", rb"cut off(.|\n)*> $")):
            while not re.search(wanted, seen):
                seen += os.read(terminal, 4096)
            seen = b""
            os.write(terminal, text.encode())
        self.assertEqual(process.wait(60), 0)
        os.close(terminal)
        plain = subprocess.run([LM, "chat", MODEL, "-n", "2", "--seed", "1"], input=b"hello\n", capture_output=True).stdout
        self.assertEqual(out.read_bytes(), plain)


if __name__ == "__main__":
    unittest.main()
