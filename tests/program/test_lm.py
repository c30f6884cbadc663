#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The lm program by its command lines: results on stdout, messages on stderr, exit statuses 0 1 2 3.

  test_lm.py LM        needs LM_SHARED for the tests that want a model; without it they are left out
"""
import json
import os
import pathlib
import re
import signal
import struct
import subprocess
import sys
import tempfile
import unittest

LM = sys.argv.pop(1)
SHARED = pathlib.Path(os.environ.get("LM_SHARED", "/nonexistent"))
STORIES = SHARED / "data/models/stories260K.gguf"
GOLDEN = pathlib.Path(__file__).parent.parent / "golden/models"
needs_shared = unittest.skipUnless(STORIES.exists(), "no reference material here")


def lm(*arguments, stdin=b""):
    return subprocess.run([LM, *map(str, arguments)], input=stdin, capture_output=True)


class Usage(unittest.TestCase):
    def refused(self, status, *arguments):
        result = lm(*arguments)
        self.assertEqual(result.returncode, status, result.stderr)
        self.assertEqual(result.stdout, b"")
        self.assertEqual(result.stderr.count(b"\n"), 1, result.stderr)
        return result.stderr.decode()

    def test_wrong_command_lines_are_named(self):
        self.assertIn("frob", self.refused(2, "frob"))
        self.assertIn("--frob", self.refused(2, "gen", "x.gguf", "--frob"))
        self.assertIn("--temp", self.refused(2, "gen", "x.gguf", "-p", "a", "--temp", "warm"))
        self.assertIn("needs a value", self.refused(2, "gen", "x.gguf", "-p"))
        self.assertIn("--tokens", self.refused(2, "logits", "x.gguf", "-o", "y"))
        self.assertIn("list", self.refused(2, "detokenize", "x.gguf", "--tokens", "1,b"))
        self.assertIn("INPUT.json", self.refused(2, "render"))
        self.assertIn("-r", self.refused(2, "bench", "x.gguf", "-r", "0"))
        self.assertIn("--open", self.refused(2, "bench", "x.gguf", "--open", "-p", "0"))
        self.assertIn("--state", self.refused(2, "bench", "x.gguf", "--state", "y"))

    def test_missing_files_fail_with_one_line(self):
        for command in (["info"], ["gen", "-p", "a"], ["eval", "-f", "-"], ["tokenize"], ["bench"], ["logits", "--tokens", "1", "-o", "y"]):
            self.assertIn("no-such", self.refused(3, command[0], "no-such.gguf", *command[1:]))

    def test_messages_name_options_as_they_were_written(self):
        model = str(GOLDEN / "qwen3.gguf")
        for wanted, *arguments in (
                ("-c is -1", "gen", model, "-p", "a", "-c", "-1"), ("-c is -1", "chat", model, "-c", "-1"), ("-c is -1", "logits", model, "--tokens", "1", "-c", "-1", "-o", "-"),
                ("--threads is -2", "info", model, "-t", "-2"), ("lm info: --cpu: ", "info", model, "--cpu", "sse9"),
                ("--samplers: there is no sampler", "gen", model, "-p", "a", "--samplers", "foo"),
                ("lm chat: --min-keep: -1 is not", "chat", model, "--min-keep", "-1"), ("--logit-bias: token 99999", "gen", model, "-p", "a", "--logit-bias", "99999=1"),
                ("--mirostat-ent: -1", "gen", model, "-p", "a", "--mirostat", "1", "--mirostat-ent", "-1"),
                ("lm chat: a reasoning budget", "chat", model, "--reasoning-budget", "3"), ("unknown option", "chat", model, "--n-probs", "3"),
                ("from -2147483648 to 2147483647", "gen", model, "-p", "a", "-n", "99999999999"), ("q9", "eval", model, "-f", "-", "--kv", "q9"),
                ("3 tokens do not fit a context of 2", "logits", model, "--tokens", "1,2,3", "-c", "2", "-o", "-")):
            self.assertIn(wanted, self.refused(2, *arguments))

    def test_files_are_named_once(self):
        with tempfile.TemporaryDirectory() as folder:
            for path, inside in ((f"{folder}/none.gguf", None), (folder, None), (f"{folder}/text", b"some text\n" * 9)):
                if inside:
                    pathlib.Path(path).write_bytes(inside)
                for command in (["info"], ["gen", "-p", "a"], ["fit", "--ram", "1", "--bandwidth", "1"], ["bench"], ["chat"]):
                    self.assertEqual(self.refused(3, command[0], path, *command[1:]).count(path), 1)
            broken = pathlib.Path(folder) / "broken.json"
            broken.write_text("{broken")
            model = GOLDEN.parent / "session/chat.gguf"
            for arguments in (["gen", model, "-p", "a", "--json-schema", broken], ["chat", model, "--json-schema", broken], ["chat", model, "--gbnf", broken],
                              ["chat", model, "-p", "a", "--tools", broken], ["render", model, broken], ["parse", "--format", "qwen3", "--tools", broken],
                              ["grammar", "check", "--schema", broken]):
                self.assertEqual(self.refused(3, *arguments).count("broken.json"), 1)
            self.assertIn(b"broken.json: ", lm("bench", model, "-d", "4", "--state", broken).stderr)

    def test_a_prompt_that_is_too_long_is_refused_at_once(self):
        message = self.refused(3, "gen", GOLDEN / "qwen3.gguf", "-p", "the rain in " * 40, "-c", "16")
        self.assertRegex(message, r"the prompt has \d+ tokens, the context 16 \(-c N")

    def test_help_is_a_command_too(self):
        self.assertEqual(lm("help").stdout, lm("--help").stdout)
        self.assertEqual(lm("help", "chat").stdout, lm("chat", "--help").stdout)
        self.assertIn("frob", self.refused(2, "help", "frob"))

    def test_every_command_has_help(self):
        for command in ("gen", "chat", "render", "parse", "grammar", "info", "fit", "bench", "embed", "eval", "logits", "tokenize", "detokenize"):
            result = lm(command, "--help")
            self.assertEqual((result.returncode, result.stderr), (0, b""))
            self.assertIn(b"usage: lm " + command.encode(), result.stdout)
            self.assertIn(b"--cpu LEVEL", result.stdout)
            self.assertTrue(all(line[30:31] in b" " for line in result.stdout.splitlines() if line.startswith(b" " * 9)))  # texts are in one column


class Grammar(unittest.TestCase):
    def test_check(self):
        with tempfile.TemporaryDirectory() as folder:
            gbnf, schema, text = (pathlib.Path(folder) / name for name in ("gbnf", "schema", "text"))
            gbnf.write_text('root ::= "h\u00e9" [0-9]+ "!"', encoding="utf-8")
            schema.write_text('{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]}')
            for option, file, content, status, out in (
                    ("--gbnf", gbnf, "h\u00e912!", 0, b"accepted"), ("--gbnf", gbnf, "h\u00e912x", 1, b" 4 "),
                    ("--gbnf", gbnf, "h\u00ea1!", 1, b" 1 "), ("--gbnf", gbnf, "h\u00e9", 1, b" 2 "), ("--gbnf", gbnf, "", 1, b" 0 "),
                    ("--schema", schema, '{"a": 1}', 0, b"accepted"), ("--schema", schema, '{"a": "', 1, b" 6 ")):
                text.write_text(content, encoding="utf-8")
                result = lm("grammar", "check", option, file, "-f", text)
                self.assertEqual((result.returncode, result.stderr), (status, b""), content)
                self.assertIn(out, result.stdout)
                self.assertEqual(lm("grammar", "check", option, file, "-f", "-", stdin=content.encode()).stdout, result.stdout)
            for content, wanted in (("h\u00e912!\n", b"then there is a line feed at the end"), ("h\u00e91\u20ac", b'then comes "\xe2\x82\xac"\n'), ("h", b"then the text ends too early")):
                self.assertIn(wanted, lm("grammar", "check", "--gbnf", gbnf, "-f", "-", stdin=content.encode()).stdout)
            self.assertEqual(lm("grammar", "check", "--gbnf", gbnf).returncode, 0)
            for bad in ("root ::= other", "root ::= root \"a\"", "root ::= <tool>"):
                gbnf.write_text(bad)
                self.assertEqual(lm("grammar", "check", "--gbnf", gbnf, "-f", text).returncode, 3, bad)
            schema.write_text('{"uniqueItems": true, "type": "array"}')
            refused = lm("grammar", "check", "--schema", schema)
            self.assertEqual(refused.returncode, 3)
            self.assertIn(b"uniqueItems", refused.stderr)
            self.assertEqual(lm("grammar", "frob", "--gbnf", gbnf).returncode, 2)
            self.assertEqual(lm("grammar", "check").returncode, 2)


class Embed(unittest.TestCase):
    def vectors(self, *arguments):
        result = lm("embed", *arguments, "-o", "-")
        self.assertEqual(result.returncode, 0, result.stderr)
        return struct.unpack(f"<{len(result.stdout) // 4}f", result.stdout)

    def test_poolings_agree_with_the_reference(self):
        facts = json.loads((GOLDEN / "bert.json").read_text())
        pooled = struct.unpack("<48f", (GOLDEN / "bert.pooled.f32").read_bytes())
        tokens = ",".join(map(str, facts["tokens"]))
        for pooling, expected in (("mean", pooled[:24]), ("cls", pooled[24:])):
            raw = self.vectors(GOLDEN / "bert.gguf", "--tokens", tokens, "--pooling", pooling, "--raw")
            self.assertTrue(all(abs(a - b) < 3e-4 for a, b in zip(raw, expected)))
            self.assertEqual(len(raw), len(expected))
            scaled = self.vectors(GOLDEN / "bert.gguf", "--tokens", tokens, "--pooling", pooling)
            self.assertAlmostEqual(sum(x * x for x in scaled), 1, places=5)
        rows = self.vectors(GOLDEN / "bert.gguf", "--tokens", tokens, "--pooling", "none", "--raw")
        self.assertEqual(len(rows), 24 * len(facts["tokens"]))

    def test_rows_as_json(self):
        rows = [self.vectors(GOLDEN / "qwen3.gguf", "-p", "the rain in", "--pooling", pooling) for pooling in ("last", "none")]
        for pooling, row in zip(("last", "none"), rows):
            result = lm("embed", GOLDEN / "qwen3.gguf", "-p", "the rain in", "--pooling", pooling, "--json")
            self.assertEqual(struct.pack(f"<{len(row)}f", *sum(json.loads(result.stdout), [])), struct.pack(f"<{len(row)}f", *row))
        self.assertGreater(len(json.loads(result.stdout)), 1)
        self.assertEqual(lm("embed", GOLDEN / "qwen3.gguf", "-p", "a").returncode, 2)

    def test_decoders_embed_texts(self):
        self.assertEqual(len(self.vectors(GOLDEN / "qwen3.gguf", "-p", "the rain in")), 32)
        self.assertEqual(lm("embed", GOLDEN / "qwen3.gguf", "-p", "a", "--pooling", "sum", "-o", "-").returncode, 2)
        half, full = (self.vectors(GOLDEN / "lfm2.gguf", "-p", "the rain in", "--pooling", "mean", *kv) for kv in ((), ("--kv", "f32")))
        self.assertTrue(half != full and all(abs(a - b) < 1e-2 for a, b in zip(half, full)))
        self.assertEqual(lm("embed", GOLDEN / "qwen3.gguf", "-p", "a", "--kv", "f8", "-o", "-").returncode, 2)


    def test_rerankers_score_texts(self):
        for name in ("bert-rank", "qwen3-rank"):
            facts = json.loads((GOLDEN / f"{name}.json").read_text())
            tokens = ",".join(map(str, facts["tokens"]))
            for extra in ((), ("--pooling", "rank")):
                result = lm("embed", GOLDEN / f"{name}.gguf", "--tokens", tokens, "-o", "-", *extra)
                found = struct.unpack(f"<{len(result.stdout) // 4}f", result.stdout)
                self.assertEqual(len(found), len(facts["scores"]))
                for a, b in zip(found, facts["scores"]):
                    self.assertAlmostEqual(a, b, delta=1e-4)
        result = lm("embed", GOLDEN / "bert.gguf", "--tokens", "5,6", "--pooling", "rank", "-o", "-")
        self.assertEqual(result.returncode, 3)
        self.assertIn(b"classifier", result.stderr)
        for command, *rest in (("logits", "--tokens", "5,6", "-o", "-"), ("gen", "-p", "a"), ("chat", "-p", "a"), ("eval", "-f", __file__), ("bench", "-p", 4)):
            result = lm(command, GOLDEN / "bert.gguf", *rest)
            self.assertEqual((result.returncode, result.stderr), (3, f"lm {command}: the model is an encoder: it has no logits (UNSUPPORTED)\n".encode()))

    def test_draft_logits(self):
        facts = json.loads((GOLDEN / "qwen35.json").read_text())
        tokens, at = (",".join(map(str, facts[key])) for key in ("tokens", "positions"))
        result = lm("logits", GOLDEN / "qwen35.gguf", "--tokens", tokens, "--at", at, "--kv", "f32", "--mtp", "-o", "-")
        expected = (GOLDEN / facts["mtp"]["file"]).read_bytes()
        self.assertEqual(len(result.stdout), len(expected))
        form = f"<{len(expected) // 4}f"
        worst = max(abs(a - b) for a, b in zip(struct.unpack(form, result.stdout), struct.unpack(form, expected)))
        self.assertLess(worst, facts["mtp"]["max_abs"])
        result = lm("logits", GOLDEN / "qwen3.gguf", "--tokens", "5,6", "--mtp", "-o", "-")
        self.assertEqual((result.returncode, result.stdout), (3, b""))
        self.assertIn(b"draft block", result.stderr)


class Chat(unittest.TestCase):
    MODEL = pathlib.Path(os.environ.get("LM_GOLDEN", "/nonexistent")) / "session/chat.gguf"

    def test_render(self):
        with tempfile.TemporaryDirectory() as folder:
            template, inputs = pathlib.Path(folder) / "t", pathlib.Path(folder) / "i"
            inputs.write_text(json.dumps({"messages": [{"role": "user", "content": "h\u00e9"}], "add_generation_prompt": True}))
            self.assertEqual(lm("render", self.MODEL, inputs).stdout.decode(), "<|im_start|>user\nh\u00e9<|im_end|>\n<|im_start|>assistant\n")
            template.write_text("{{ strftime_now('%d %b %Y %H') }} {{ messages[0].role }}\n\n")
            result = lm("render", template, "-", "--now", "2026-01-02T03:04:05", stdin=inputs.read_bytes())
            self.assertEqual((result.returncode, result.stdout), (0, b"02 Jan 2026 03 user\n"))
            template.write_text("{{ raise_exception('no ' ~ messages|length) }}")
            result = lm("render", template, inputs)
            self.assertEqual((result.returncode, result.stdout, result.stderr), (1, b"", b"raised: no 1\n"))
            template.write_text("{% if %}")
            self.assertEqual(lm("render", template, inputs).returncode, 3)
            self.assertEqual(lm("render", template, inputs, "--now", "today").returncode, 2)
            template.write_text("{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no') }}{% endif %}<{{ m.content }}>{% endfor %}")
            inputs.write_text(json.dumps({"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": [{"type": "text", "text": "u"}]}]}))
            self.assertEqual(lm("render", template, inputs).returncode, 1)
            self.assertEqual(lm("render", template, inputs, "--adapt").stdout, b"<s\nu>")

    def test_parse(self):
        text = '<think>\nhm\n</think>\n\nhi<tool_call>\n{"name": "f", "arguments": {"a": 1}}\n</tool_call>'
        whole = lm("parse", "--format", "qwen3", stdin=text.encode()).stdout
        message = json.loads(whole)
        self.assertEqual((message["content"], message["reasoning_content"].strip()), ("hi", "hm"))
        self.assertEqual(json.loads(message["tool_calls"][0]["arguments"]), {"a": 1})
        for n in (1, 2, 7):
            self.assertEqual(lm("parse", "--format", "qwen3", "--chunk", n, stdin=text.encode()).stdout, whole)
        self.assertEqual(lm("parse", self.MODEL, stdin=text.encode()).stdout, whole)
        cut = json.loads(lm("parse", "--format", "qwen3", "--cut-off", stdin=text[:-17].encode()).stdout)
        self.assertTrue(cut["tool_calls"][0]["incomplete"])
        self.assertEqual(lm("parse", stdin=b"").returncode, 2)
        self.assertEqual(lm("parse", "--format", "frob", stdin=b"").returncode, 2)

    def test_one_turn_and_several(self):
        once = lm("chat", self.MODEL, "-p", "hi\nthere", "--seed", 5, "-n", 20)
        self.assertEqual(once.returncode, 0, once.stderr)
        self.assertEqual(lm("chat", self.MODEL, "-f", "-", "--seed", 5, "-n", 20, stdin=b"hi\nthere\n").stdout, once.stdout)
        self.assertEqual(lm("chat", self.MODEL, "-f", "-", "-p", "hi").returncode, 2)
        self.assertIn(b"no-such", lm("chat", self.MODEL, "-f", "no-such").stderr)
        with tempfile.TemporaryDirectory() as folder:
            saved = pathlib.Path(folder) / "saved"
            schema = pathlib.Path(folder) / "schema"
            schema.write_text('{"enum": ["yes", "no"]}')
            lines = f"one \"quoted\"\ntwo\n/save {saved}\n/reset\n/frob\nthree\n"
            talk = lm("chat", self.MODEL, "--system", "Be\nshort", "--json-schema", schema, "--stats", "-n", 20, stdin=lines.encode())
            self.assertEqual(talk.returncode, 0, talk.stderr)
            self.assertRegex(talk.stdout, rb'^("(yes|no)"\s*){3}$')
            history = json.loads(saved.read_text())
            self.assertEqual([m["role"] for m in history], ["system", "user", "assistant", "user", "assistant"])
            self.assertEqual((history[0]["content"], history[1]["content"]), ("Be\nshort", 'one "quoted"'))
            figures = [tuple(map(int, pair)) for pair in re.findall(rb"prompt (\d+) tokens, (\d+) evaluated", talk.stderr)]
            self.assertEqual(len(figures), 3)
            self.assertLess(figures[1][1], figures[1][0] // 2)  # the second turn evaluates its own tokens
        self.assertEqual(lm("chat", self.MODEL, "--think", "maybe").returncode, 2)

    def test_a_conversation_is_taken_up_again(self):
        with tempfile.TemporaryDirectory() as folder:
            first, second, bad = (pathlib.Path(folder) / name for name in ("first", "second", "bad"))
            bad.write_text('{"role": "user"}')
            first.write_text('\n[ {"role": "user", "content": "one"}, {"role": "assistant", "content": "1"} ]\n\n')
            lines = f"zero\n/load {first}\n/load {bad}\n/load {folder}/none\n/load\ntwo\n/save {second}\n/help\n"
            talk = lm("chat", self.MODEL, "-n", 4, "--system", "gone", stdin=lines.encode())
            self.assertEqual(talk.returncode, 0, talk.stderr)
            self.assertEqual([m["content"] for m in json.loads(second.read_text())][:3], ["one", "1", "two"])
            for wanted in (b"loaded", b"bad: no JSON array of messages\n", b"none: ", b"/load : a file name is missing", b"/save FILE"):
                self.assertIn(wanted, talk.stderr)

    def test_text_that_is_not_utf8_is_answered(self):
        with tempfile.TemporaryDirectory() as folder:
            saved = pathlib.Path(folder) / "saved"
            talk = lm("chat", self.MODEL, "-n", 4, stdin=b"caf\xe9 \"\\\n/save %s\n" % str(saved).encode())
            self.assertEqual(talk.returncode, 0, talk.stderr)
            self.assertEqual(json.loads(saved.read_text("utf-8"))[0]["content"], "caf\ufffd \"\\")

    def test_a_script_learns_that_an_answer_failed(self):
        with tempfile.TemporaryDirectory() as folder:
            tools = pathlib.Path(folder) / "tools"
            for content, wanted in (("{}", "not an array"), ("[1]", "element 0 is not an object"), ("[", "JSON line 1")):
                tools.write_text(content)
                result = lm("chat", self.MODEL, "--tools", tools, stdin=b"one\ntwo\n")
                self.assertEqual((result.returncode, result.stdout, result.stderr.count(b"\n")), (3, b"", 1), result.stderr)
                self.assertIn(f"{tools}: {wanted}", result.stderr.decode())
        result = lm("chat", self.MODEL, "-p", "one", "-c", 4)
        self.assertEqual((result.returncode, result.stdout), (3, b""))
        self.assertIn(b"do not fit a context of 4 (-c N", result.stderr)

    def test_a_tool_that_cannot_be_kept_is_named(self):
        with tempfile.TemporaryDirectory() as folder:
            tools = pathlib.Path(folder) / "tools"
            tools.write_text(json.dumps([{"type": "function", "function": {"name": "weigh", "parameters": {
                "type": "object", "properties": {"a": {"type": "array", "uniqueItems": True}}}}}]))
            result = lm("chat", self.MODEL, "-p", "one", "--tools", tools, "-n", 4)
            self.assertEqual(result.returncode, 0)
            self.assertRegex(result.stderr, rb"^lm chat: the arguments of tool weigh are not constrained: .*uniqueItems.*\n")

    def test_a_model_without_a_template_is_talked_to_with_a_warning(self):
        result = lm("chat", GOLDEN / "qwen3.gguf", "-p", "hi", "-n", 4, "--temp", 0)
        self.assertEqual(result.returncode, 0)
        self.assertIn(b"lm chat: the model has no template", result.stderr)

    def test_a_grammar_and_a_limit(self):
        with tempfile.TemporaryDirectory() as folder:
            grammar = pathlib.Path(folder) / "grammar"
            grammar.write_text('root ::= "<" [a-z ]+ ">"')
            for seed in range(5):
                result = lm("chat", self.MODEL, "-p", "hi", "--gbnf", grammar, "--seed", seed, "-n", 12, "--temp", 2)
                self.assertRegex(result.stdout, rb"^<[a-z ]+>\n$")
                result = lm("gen", self.MODEL, "-p", "hi", "--gbnf", grammar, "--seed", seed, "-n", 12, "--temp", 2, "--no-prompt", "-q")
                self.assertRegex(result.stdout, rb"^<[a-z ]+>\n$")
            self.assertEqual(lm("chat", self.MODEL, "--gbnf", grammar, "--json-schema", grammar).returncode, 2)
            grammar.write_text("root (")
            self.assertEqual(lm("chat", self.MODEL, "-p", "hi", "--gbnf", grammar).returncode, 3)

    def test_interrupt_ends_the_answer_alone(self):
        with tempfile.TemporaryDirectory() as folder:
            saved = pathlib.Path(folder) / "saved"
            process = subprocess.Popen([LM, "chat", self.MODEL, "--ignore-eos", "-c", "60000", "--cpu", "generic"], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            process.stdin.write(b"one\n")
            process.stdin.flush()
            process.stdout.read(20)
            process.send_signal(signal.SIGINT)
            rest, messages = process.communicate(f"/save {saved}\n".encode(), timeout=60)
            self.assertEqual(process.returncode, 0, messages)
            self.assertEqual([m["role"] for m in json.loads(saved.read_text())], ["user", "assistant"])


class Draft(unittest.TestCase):
    """Drafts change how fast a text comes, never the text."""
    GOLDEN = pathlib.Path(os.environ.get("LM_GOLDEN", "/nonexistent"))

    def gen(self, model, *options):
        return lm("gen", model, "-p", "one two one two one", "-n", 60, "--seed", 3, "--ignore-eos", *options)

    def test_every_drafter_gives_the_plain_text(self):
        model, has_block = self.GOLDEN / "session/chat.gguf", self.GOLDEN / "models/qwen35.gguf"
        for path, drafters in (model, ("ngram", model)), (has_block, ("ngram", has_block, "mtp")):
            for temperature in (0, 0.9):
                plain = self.gen(path, "--temp", temperature)
                self.assertEqual((plain.returncode, b"proposals" in plain.stderr), (0, False))
                for drafter in drafters:
                    drafted = self.gen(path, "--temp", temperature, "--draft", drafter, "--n-draft", 6)
                    self.assertEqual((drafted.returncode, drafted.stdout), (0, plain.stdout), (path, drafter))
                    self.assertRegex(drafted.stderr, rb"60 generated, [0-9.]+ per second; [0-9]+ of [0-9]+ proposals right")

    def test_what_cannot_draft_is_named(self):
        model = self.GOLDEN / "session/chat.gguf"
        for options, status, words in ((("--draft", "mtp"), 3, b"draft block"), (("--draft", "absent.gguf"), 3, b"absent.gguf"),
                                       (("--draft", "ngram", "--n-draft", 65), 2, b"--n-draft is 65"),
                                       (("--draft", "ngram", "--n-probs", 2), 2, b"--n-probs"),
                                       (("--draft", self.GOLDEN / "models/bert.gguf"), 3, b"bert.gguf: the draft context gives no logits"),
                                       (("--draft", self.GOLDEN / "models/qwen35.gguf"), 3, b"the draft model has")):
            refused = self.gen(model, *options)
            self.assertEqual(refused.returncode, status, options)
            self.assertIn(words, refused.stderr)


class Box(unittest.TestCase):
    """Commands without a MODEL use the built-in one, where this build has it."""

    TOOLS = pathlib.Path(__file__).parents[2] / "examples/box/tools.json"

    def setUp(self):
        if b"[MODEL]" not in lm("info", "--help").stdout:
            self.skipTest("built without the box")

    def out(self, *arguments, stdin=b""):
        result = lm(*arguments, stdin=stdin)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout.decode()

    def test_every_command_without_a_model(self):
        self.assertEqual(json.loads(self.out("info", "--json"))["name"], "Box")
        self.assertEqual(self.out("chat", "-p", "Hello!"), "Hello! How can I help you?\n")
        self.assertEqual(self.out("chat", stdin=b"\r\nHello!\r\n"), "Hello! How can I help you?\n")
        story = self.out("gen", "-p", "Once upon a time", "-q")
        self.assertRegex(story, r"^Once upon a time a \w+ \w+ called (\w+) (.|\n)*\1.*\.\n$")
        ids = self.out("tokenize", "-f", "-", stdin=b"liblm is small").strip()
        self.assertEqual(self.out("detokenize", "--tokens", ids), "liblm is small")
        lines = [line.split("\t") for line in self.out("tokenize", "-p", "<|im_start|>say \"hi\"\n", "--parse-special", "--pieces").splitlines()]
        self.assertEqual("".join(json.loads(text) for _, text in lines), "<|im_start|>say \"hi\"\n")
        self.assertEqual(lines[0], ["1", '"<|im_start|>"'])
        self.assertRegex(self.out("tokenize", "-p", "\u00f6", "--pieces"), r"^\d+\t<0xC3>\n\d+\t<0xB6>\n$")
        inputs = b'{"messages":[{"role":"user","content":"Hi"}],"add_generation_prompt":true}'
        self.assertEqual(self.out("render", "-", stdin=inputs), "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n")
        self.assertLess(json.loads(self.out("eval", "-f", "-", "-c", "64", "--json", stdin=story.encode()))["perplexity"], 100)
        self.assertIn("the built-in model", self.out("bench", "-p", "8", "-n", "8", "-r", "1"))

    def test_a_conversation_with_a_call_and_its_result(self):
        lines = b"Hello!\nWhat is the weather in Oslo?\n/result {\"temperature\": 4, \"sky\": \"snowy\"}\n/result again\nThank you!\n"
        result = lm("chat", "--tools", self.TOOLS, stdin=lines)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual([line for line in result.stdout.decode().splitlines() if line], [
            "Hello! How can I help you?", '[call get_weather {"city": "Oslo"}]', "It is 4 degrees and snowy in Oslo.", "You are welcome!"])
        self.assertIn(b"/result: no call waits for one", result.stderr)

    def test_two_results_for_two_calls(self):
        lines = b"What is the weather in Oslo and Rome?\n/result 4 degrees, snowy\n/result 20 degrees, sunny\n"
        out = self.out("chat", "--tools", self.TOOLS, stdin=lines)
        self.assertEqual(out.count("[call get_weather"), 2)
        self.assertIn("It is 4 degrees and snowy in Oslo. It is 20 degrees and sunny in Rome.", out)


class Fit(unittest.TestCase):
    def test_the_rule_of_sizes(self):
        for ram, bandwidth, by_ram, by_speed in ((16, 68.25, 17.1, 15.0), (24, 273, 25.6, 59.9), (128, 614, 136.5, 134.9)):
            row = json.loads(lm("fit", "--ram", ram, "--bandwidth", bandwidth, "--json").stdout)
            self.assertEqual((row["billions_by_ram"], row["billions_by_speed"]), (by_ram, by_speed))
            self.assertEqual(row["billions"], min(by_ram, by_speed))

    @needs_shared
    def test_a_plan(self):
        result = lm("fit", STORIES, "--ram", 16, "--bandwidth", 68.25, "--json")
        plan = json.loads(result.stdout)
        self.assertEqual((result.returncode, plan["fits"]), (0, True))
        parts = ("weights", "copied", "model", "cache", "work", "context")
        self.assertEqual(plan["total_bytes"], sum(plan[p + "_bytes"] for p in parts))
        result = lm("fit", STORIES, "--ram", 0.001, "--bandwidth", 1, "--json")
        plan = json.loads(result.stdout)
        self.assertEqual((result.returncode, plan["fits"]), (1, False))
        self.assertLess(plan["resident_share"], 1)
        self.assertIn(b"of the weights can stay in memory", lm("fit", STORIES, "--ram", 0.001, "--bandwidth", 1).stdout)


@needs_shared
class Stories(unittest.TestCase):
    def test_gen_tells_the_story(self):
        begin = (b"Once upon a time, there was a little girl named Lily. She loved to play outside in the park. "
                 b"One day, she saw a big, red ball.")
        result = lm("gen", STORIES, "-p", "Once upon a time", "--temp", "0", "-n", "100")
        self.assertEqual(result.returncode, 0)
        self.assertTrue(result.stdout.startswith(begin), result.stdout)
        again = lm("gen", STORIES, "-f", "-", "--temp", "0", "-n", "100", "-t", "1", "--cpu", "generic", stdin=b"Once upon a time")
        self.assertEqual(again.stdout, result.stdout)

    def test_gen_under_a_schema_is_valid(self):
        schema = {"type": "object", "properties": {"name": {"type": "string", "maxLength": 8}, "n": {"enum": [1, 2, 30]}},
                  "required": ["name", "n"], "additionalProperties": False}
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "schema"
            path.write_text(json.dumps(schema))
            for seed in range(10):
                result = lm("gen", STORIES, "-p", "Once", "--no-prompt", "--temp", 2, "--seed", seed, "--json-schema", path, "-n", 300)
                document = json.loads(result.stdout)
                self.assertEqual(set(document), {"name", "n"}, result.stdout)
                self.assertIn(document["n"], (1, 2, 30))
            path.write_text('root ::= " and" (" then" | " so")+ "."')
            result = lm("gen", STORIES, "-p", "Once", "--no-prompt", "--gbnf", path, "-n", 300)
            self.assertRegex(result.stdout, rb"^ and( then| so)+\.\n$")
            path.write_text('root ::= bad')
            refused = lm("gen", STORIES, "-p", "Once", "--gbnf", path)
            self.assertEqual((refused.returncode, refused.stderr.count(b"\n")), (3, 1))

    def test_a_seed_repeats(self):
        runs = [lm("gen", STORIES, "-p", "One day", "--seed", "7", "-n", "30").stdout for _ in range(2)]
        self.assertEqual(runs[0], runs[1])
        self.assertNotEqual(runs[0], lm("gen", STORIES, "-p", "One day", "--seed", "8", "-n", "30").stdout)

    def test_an_end_of_context_is_no_failure(self):
        result = lm("gen", STORIES, "-p", "Once", "-n", "-1", "-c", "64", "--ignore-eos")
        self.assertEqual(result.returncode, 0)
        self.assertIn(b"the context is full", result.stderr)

    def test_interrupt_ends_the_text_cleanly(self):
        process = subprocess.Popen([LM, "gen", STORIES, "-p", "Once upon a time", "-n", "-1", "-c", "100000", "--ignore-eos", "--cpu", "generic"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        first = process.stdout.read(20)
        process.send_signal(signal.SIGINT)
        rest, messages = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, messages)
        self.assertTrue((first + rest).endswith(b"\n"))

    def test_eval_against_itself_and_another_cache(self):
        with tempfile.TemporaryDirectory() as folder:
            base = os.path.join(folder, "base")
            text = pathlib.Path(folder) / "text"
            text.write_bytes((SHARED / "data/stories_eval.txt").read_bytes()[:6000])
            self.assertEqual(lm("eval", STORIES, "-f", text, "-c", 128, "--save", base).returncode, 0)
            same = json.loads(lm("eval", STORIES, "-f", text, "-c", 128, "--against", base, "--json").stdout)
            self.assertEqual((same["kl_mean"], same["top1_agreement"]), (0, 1))
            other = json.loads(lm("eval", STORIES, "-f", text, "-c", 128, "--against", base, "--kv", "bf16", "--json").stdout)
            self.assertTrue(0 < other["kl_mean"] < 0.01, other)
            self.assertEqual(lm("eval", STORIES, "-f", text, "-c", 64, "--against", base).returncode, 3)
            refused = lm("eval", STORIES, "-f", text, "-c", 64, "--kv", "q8_0")  # heads of 8 numbers, blocks of 32
            self.assertEqual((refused.returncode, b"q8_0" in refused.stderr), (3, True))
            data = pathlib.Path(base).read_bytes()
            pathlib.Path(base).write_bytes(data[:-1])
            self.assertEqual(lm("eval", STORIES, "-f", text, "-c", 128, "--against", base).returncode, 3)

    def test_logits_rows(self):
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "rows")
            rows = {}
            for name, at, extra in (("all", "all", ["--batch", "3"]), ("some", "0,2,5", []), ("last", "last", ["-t", "1"])):
                result = lm("logits", STORIES, "--tokens", "1,400,20,30,9,77", "--at", at, "-o", out, *extra)
                self.assertEqual(result.returncode, 0, result.stderr)
                rows[name] = pathlib.Path(out).read_bytes()
            size = 512 * 4
            row = [rows["all"][i * size:(i + 1) * size] for i in range(6)]
            self.assertEqual(len(rows["all"]), 6 * size)
            self.assertEqual(rows["some"], row[0] + row[2] + row[5])
            self.assertEqual(rows["last"], row[5])
            self.assertTrue(all(abs(x) < 100 for x in struct.unpack("<512f", row[5])))
            self.assertEqual(lm("logits", STORIES, "--tokens", "1,2", "--at", "2", "-o", out).returncode, 2)
            self.assertEqual(lm("logits", STORIES, "--tokens", "1,512", "-o", out).returncode, 3)

    def test_tokens_and_back(self):
        ids = lm("tokenize", STORIES, "-p", "Lily and Tom").stdout.strip()
        self.assertEqual(ids.split(b",")[0], b"1")
        self.assertEqual(lm("detokenize", STORIES, "--tokens", ids.decode(), "--no-special").stdout, b" Lily and Tom")

    def test_a_vocabulary_without_weights(self):
        path = SHARED / "data/vocab/ggml-vocab-gpt-2.gguf"
        self.assertEqual(lm("tokenize", path, stdin=b"Hello world").stdout, b"15496,995\n")
        self.assertEqual(lm("gen", path, "-p", "a").returncode, 3)

    def test_info(self):
        info = json.loads(lm("info", STORIES, "--json", "--tensors").stdout)
        self.assertEqual((info["architecture"], info["n_vocab"], info["n_layers"]), ("llama", 512, 5))
        self.assertEqual(sum(t["bytes"] for t in info["tensors"]), info["weights_bytes"])
        self.assertEqual(info["metadata"]["tokenizer.ggml.bos_token_id"], 1)

    def test_bench_lines(self):
        result = lm("bench", STORIES, "-p", 16, "-n", 4, "-d", 10, "-b", 2, "-r", 2, "-t", 2, "--json")
        lines = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertEqual([line["test"] for line in lines], ["pp16", "tg4"])
        for line in lines:
            self.assertTrue(0 < line["min"] <= line["tokens_per_second"] <= line["max"])
            self.assertTrue(line["read_gb_s"] > 0 and line["int_peak_gops"] > 0 and line["share_of_limit"] > 0)
            self.assertEqual((line["depth"], line["threads"], line["weights_bytes"]), (10, 2, 1040128))
            self.assertTrue(line["bytes_per_token"] > 0 and line["ops_per_token"] > 0)

    def test_bench_opens_and_keeps_its_depth(self):
        with tempfile.TemporaryDirectory() as folder:
            state = os.path.join(folder, "state")
            command = ("bench", STORIES, "-p", 4, "-n", 0, "-d", 70, "-r", 1, "-t", 1, "--open", "--json", "--state", state)
            for _ in range(2): # makes the state, then takes it
                lines = [json.loads(line) for line in lm(*command).stdout.splitlines()]
                self.assertEqual([line["test"] for line in lines], ["pp4", "open+pp4"])
            self.assertTrue(os.path.getsize(state) > 0)
            other = lm(*(71 if x == 70 else x for x in command))
            self.assertEqual((other.returncode, other.stdout), (3, b""))
            self.assertIn(b"holds 70 tokens, not 71", other.stderr)


@needs_shared
class Slow(unittest.TestCase):
    def test_eval_of_the_whole_text(self):
        for n_ctx, expected in ((256, 4.2097), (512, 4.0505)):
            result = lm("eval", STORIES, "-f", SHARED / "data/stories_eval.txt", "-c", n_ctx, "--json")
            self.assertAlmostEqual(json.loads(result.stdout)["perplexity"], expected, delta=0.002)


if __name__ == "__main__":
    unittest.main()
