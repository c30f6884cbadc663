#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""lm with what one does not expect: closed streams, full disks, bytes of any kind, files that are used twice. Nothing is lost, and one line
says what is wrong.

  test_odd_input.py LM
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

LM = sys.argv.pop(1)
GOLDEN = pathlib.Path(__file__).parents[1] / "golden"
PLAIN, TALKER = GOLDEN / "models/qwen3.gguf", GOLDEN / "session/chat.gguf"
TEXT = b"the rain in spain " * 20


def lm(*arguments, stdin=b"", **more):
    return subprocess.run([LM, *map(str, arguments)], input=stdin, stderr=subprocess.PIPE, **{"stdout": subprocess.PIPE, **more})


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        return path

    def refused(self, status, wanted, *arguments, **more):
        result = lm(*arguments, **more)
        self.assertEqual((result.returncode, result.stderr.count(b"\n")), (status, 1), result.stderr)
        self.assertFalse(result.stdout)
        self.assertIn(wanted, result.stderr.decode())


class Streams(Case):
    def closed(self, descriptor, *arguments):
        """Run with a stream closed: what is opened next must not take its place."""
        return subprocess.run(["sh", "-c", f'exec "$@" {descriptor}>&-', "sh", LM, *map(str, arguments)], capture_output=True, stdin=subprocess.DEVNULL)

    def test_closed_streams_are_no_files(self):
        saved, rows = self.folder / "saved", self.folder / "rows"
        text = self.file("text", TEXT)
        result = self.closed(1, "eval", PLAIN, "-f", text, "-c", 32, "--save", saved)
        self.assertEqual((result.returncode, result.stderr), (3, b"lm eval: the results could not be written\n"))
        self.assertEqual(lm("eval", PLAIN, "-f", text, "-c", 32, "--against", saved).returncode, 0)  # nothing was written into it
        result = self.closed(2, "logits", PLAIN, "--tokens", "1,2", "-o", rows)
        self.assertEqual((result.returncode, rows.read_bytes()), (0, lm("logits", PLAIN, "--tokens", "1,2", "-o", "-").stdout))
        for command in ("tokenize", PLAIN), ("gen", PLAIN), ("chat", TALKER), ("parse", "--format", "qwen3"):
            result = subprocess.run(["sh", "-c", 'exec "$@" <&-', "sh", LM, *map(str, command)], capture_output=True)
            self.assertEqual((result.returncode, result.stdout), (3, b""), command)
            self.assertIn(b"standard input: ", result.stderr)
        folder = os.open(self.folder, os.O_RDONLY)
        for command in ("tokenize", PLAIN), ("chat", TALKER):
            self.assertEqual(subprocess.run([LM, *map(str, command)], stdin=folder, capture_output=True).returncode, 3)
        os.close(folder)

    def test_a_full_disk_is_a_failure(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full here")
        grammar = self.file("grammar", b'root ::= "a"')
        with open("/dev/full", "wb") as full:
            for command in (["--help"], ["--version"], ["gen", "--help"], ["gen", TALKER, "-p", "a", "-n", "-1", "--ignore-eos", "-q", "-c", "100000"], ["info", PLAIN],
                            ["chat", TALKER], ["logits", PLAIN, "--tokens", "1", "-o", "-"], ["embed", PLAIN, "-p", "a", "--json"], ["tokenize", PLAIN, "-p", "a"],
                            ["grammar", "check", "--gbnf", grammar, "-f", "-"]):  # the last one would say no
                self.refused(3, "the results could not be written", *command, stdin=b"b", stdout=full)
        for command in (["logits", PLAIN, "--tokens", "1", "-o", "/dev/full"], ["embed", PLAIN, "-p", "a", "-o", "/dev/full"],
                        ["eval", PLAIN, "-f", "-", "-c", "16", "--save", "/dev/full"]):
            self.refused(3, "/dev/full: ", *command, stdin=TEXT)

    def test_standard_input_is_read_once(self):
        for command in (["render", "-", "-"], ["grammar", "check", "--gbnf", "-", "-f", "-"], ["chat", TALKER, "--tools", "-"], ["parse", "-"],
                        ["gen", TALKER, "-f", "-", "--gbnf", "-"]):
            self.refused(3, "standard input can be read only once", *command, stdin=b'root ::= "[]"' if "-f" in command else b"[]")
        self.assertIn(b"only once", lm("chat", TALKER, stdin=b"/load -\n").stderr)


class Bytes(Case):
    def test_a_nul_is_a_character(self):
        saved = self.folder / "saved"
        lm("chat", TALKER, "-n", 2, stdin=b"ab\0cd\r\n/save %s\n" % os.fsencode(saved))
        self.assertEqual(json.loads(saved.read_text())[0]["content"], "ab\0cd")
        self.assertEqual(lm("chat", TALKER, "-n", 2, stdin=b"a\0b\n/save -\n").stdout.split(b"\n")[-2][:39], b'[{"role":"user","content":"a\\u0000b"},{')
        whole, cut, ended = (lm("chat", TALKER, "-f", "-", "--stats", "-n", 1, stdin=text).stderr.split(b"evaluated")[0]
                             for text in (b"ab\0cd", b"ab", b"ab\0cd\r\n"))
        self.assertNotEqual(whole, cut)
        self.assertEqual(whole, ended)
        ids = self.file("ids", b"1,2\0,3")
        self.refused(2, "is no list of numbers", "detokenize", PLAIN, "--tokens", f"@{ids}")

    def test_a_byte_order_mark_is_no_part_of_a_document(self):
        def marked(name, text):
            return self.file(name, b"\xef\xbb\xbf" + text)

        tools, inputs = marked("tools", b"[]"), marked("inputs", b'{"messages":[{"role":"user","content":"\xef\xbb\xbfhi"}]}')
        self.assertEqual(lm("render", TALKER, inputs).stdout, b"<|im_start|>user\n\xef\xbb\xbfhi<|im_end|>\n")
        for command in (["parse", "--format", "qwen3", "--tools", tools], ["chat", TALKER, "--tools", tools], ["detokenize", PLAIN, "--tokens", f"@{marked('ids', b'2,3')}"],
                        ["grammar", "check", "--gbnf", marked("gbnf", b'root ::= "a"\r\n'), "-f", "-"], ["grammar", "check", "--schema", marked("schema", b"{}")]):
            result = lm(*command, stdin=b"a" if "-f" in command else b"")
            self.assertEqual((result.returncode, result.stderr), (0, b""), command)
        loaded = lm("chat", TALKER, stdin=b"/load %s\n" % os.fsencode(marked("history", b"[]")))
        self.assertIn(b"loaded ", loaded.stderr)

    def test_names_cannot_write_more_than_their_line(self):
        self.refused(3, r"a\x1b[31m\nb", "info", "a\x1b[31m\nb")
        self.refused(2, r"x\ny", "x\ny")
        self.refused(2, r"\t1", "gen", PLAIN, "-p", "a", "-n", "\t1x\r")
        self.assertIn(b"/\\x1b[1m: no such", lm("chat", TALKER, stdin=b"/\x1b[1m\n").stderr)
        model = PLAIN.read_bytes()
        # A name of the file is replaced by one of the same length with a line feed and an escape in it.
        for found, other in ((b"blk.0.attn_norm.weight", b"bl\n.0\x1b[31m_norm.weight"), (b"general.name\x08\0\0\0\x05\0\0\0\0\0\0\0qwen3", b"general.name\x08\0\0\0\x05\0\0\0\0\0\0\0a\n\x1b[m")):
            self.assertIn(found, model)
            path = self.file("hostile.gguf", model.replace(found, other))
            for tensors in ((), ("--tensors",)):
                out = lm("info", path, *tensors)
                self.assertEqual(out.returncode, 0, out.stderr)
                self.assertFalse(re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", out.stdout + out.stderr), out)
                self.assertLessEqual(out.stderr.count(b"\n"), 1)
            out = json.loads(lm("info", path, "--json", "--tensors").stdout)
            self.assertIn(other[-5:].decode(), [out["name"][-5:], *(tensor["name"][-5:] for tensor in out["tensors"])])


class Files(Case):
    def test_results_do_not_overwrite_what_they_come_from(self):
        model = self.file("model.gguf", PLAIN.read_bytes())
        text, rows = self.file("text", TEXT), self.file("rows", b"precious")
        other_name = f"{self.folder}/../{self.folder.name}/model.gguf"
        self.refused(3, "is the model", "logits", model, "--tokens", "1", "-o", other_name)
        self.refused(3, "is the model", "embed", model, "--tokens", "1", "-o", model)
        self.refused(3, "is the model", "eval", model, "-f", text, "-c", 16, "--save", other_name)
        self.assertIn(b"is the model", lm("chat", model, stdin=b"/save %s\n" % os.fsencode(model)).stderr)
        self.assertEqual(model.read_bytes(), PLAIN.read_bytes())
        for wanted, status, arguments in (("99 is not in the vocabulary of", 3, ("--tokens", "1,99")), ("--at 7", 2, ("--tokens", "1", "--at", "7")),
                                          ("--at: \"x\"", 2, ("--tokens", "1", "--at", "x")), ("--at: the list is empty", 2, ("--tokens", "1", "--at", ""))):
            self.refused(status, wanted, "logits", model, "-o", rows, *arguments)
        self.assertEqual(rows.read_bytes(), b"precious")
        saved = self.folder / "saved"
        self.assertEqual(lm("eval", model, "-f", text, "-c", 16, "--save", saved).returncode, 0)
        before = saved.read_bytes()
        self.refused(2, "--save and --against", "eval", model, "-f", text, "-c", 16, "--save", f"{self.folder}/./saved", "--against", saved)
        self.refused(3, "text: not a file of lm eval", "eval", model, "-f", text, "-c", 16, "--save", saved, "--against", text)
        self.assertEqual(saved.read_bytes(), before)

    def test_numbers_that_are_none_are_null(self):
        """Weights that are no numbers give no perplexity, and JSON all the same."""
        model = bytearray(PLAIN.read_bytes())
        model[-4096:] = b"\xff" * 4096
        out = lm("eval", self.file("nan.gguf", bytes(model)), "-f", "-", "-c", 16, "--json", stdin=TEXT)
        self.assertEqual((out.returncode, json.loads(out.stdout)["perplexity"]), (0, None), out)


class Options(Case):
    def test_what_would_have_no_effect_is_refused(self):
        self.refused(2, "--n-draft needs --draft", "gen", PLAIN, "-p", "a", "--n-draft", 3)
        self.refused(2, "--probs-after needs --n-probs", "gen", PLAIN, "-p", "a", "--probs-after")
        for command in (["grammar", "check", "--gbnf", "/dev/null"], ["parse", "--format", "qwen3"], ["render", TALKER, "/dev/null"]):
            self.refused(2, "--cpu: unknown", *command, "--cpu", "sse9")
            self.refused(2, "--threads is -2", *command, "-t", -2)
        self.refused(2, "unexpected argument \"gen\"", "--version", "gen")
        self.refused(2, "unexpected argument \"chat\"", "help", "gen", "chat")
        self.assertEqual(lm("--help", "gen").stdout, lm("gen", "--help").stdout)

    def test_a_bias_counts_once(self):
        """The likeliest tokens' probabilities with a bias of log 2 on the second: its odds double."""
        def odds(*more):
            result = lm("gen", PLAIN, "-p", "a", "-n", 1, "--temp", 1, "--samplers", "temperature", "--n-probs", 2, "--probs-after", "-q", *more)
            return {int(token): float(p) for token, p in (pair.split(":") for pair in result.stderr.decode().split())}

        (first, p), (second, q) = odds().items()
        biased = odds("--logit-bias", f"{second}=0.6931471805599453")
        self.assertAlmostEqual(biased[second] / biased[first] / (q / p), 2, places=3)

    def test_tools_and_formats_are_judged_before_the_first_message(self):
        self.refused(3, "tools: not an array", "chat", TALKER, "--tools", self.file("tools", b"{}"))
        self.refused(3, "tools: JSON line 1", "chat", TALKER, "--tools", self.file("tools", b"["))
        self.refused(2, 'no output syntax is named "frob"', "chat", TALKER, "--format", "frob")


if __name__ == "__main__":
    unittest.main()
