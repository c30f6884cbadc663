# SPDX-License-Identifier: MIT
"""What does not fit is refused by the name of the argument: wrong types, numbers that C would cut, texts that C would end early."""
from __future__ import annotations

import mmap
import pathlib
from typing import Any, Callable, Dict, Tuple, Type, Union

import pytest

import lm
from conftest import PLAIN
from lm import _raw as raw
from lm._arguments import token_array, utf8

Call = Callable[[Any, Any, Any], Any]  # of a model, a context, a sampler
HUGE = 2**32 + 5

#: What is called -> the error and the words it begins with. Typed loosely on purpose: mypy would refuse all of it.
WRONG: Dict[str, Tuple[Call, Type[Exception], str]] = {
    "tokens too large": (lambda m, c, s: c.eval([3, HUGE]), lm.RangeError, r"tokens\[1\]: 4294967301"),
    "tokens as text": (lambda m, c, s: c.eval("abc"), TypeError, "tokens: list is needed, not str"),
    "tokens as bytes": (lambda m, c, s: c.eval(b"\3\4"), TypeError, "tokens: list is needed, not bytes"),
    "tokens of floats": (lambda m, c, s: c.sync([1.5]), TypeError, r"tokens\[0\]: int is needed, not float"),
    "no tokens at all": (lambda m, c, s: m.detokenize(None), TypeError, "tokens: list is needed, not NoneType"),
    "a token too large": (lambda m, c, s: m.is_end(HUGE), lm.RangeError, "token: 4294967301"),
    "a token as text": (lambda m, c, s: m.token_piece("a"), TypeError, "token: int is needed, not str"),
    "a prompt of bytes": (lambda m, c, s: m.generate(b"Once"), TypeError, "prompt: list is needed, not bytes"),
    "a prompt that is a path": (lambda m, c, s: m.generate(pathlib.Path("a")), TypeError, "prompt: list is needed"),
    "a text of bytes": (lambda m, c, s: m.tokenize(b"a"), TypeError, "text: str is needed, not bytes"),
    "texts of bytes": (lambda m, c, s: m.embed([b"a"]), TypeError, "texts: list is needed, not bytes"),
    "max_tokens as text": (lambda m, c, s: m.generate("a", max_tokens="2"), TypeError, "max_tokens: int is needed, not str"),
    "max_tokens below zero": (lambda m, c, s: m.generate("a", max_tokens=-1), lm.RangeError, "max_tokens: -1"),
    "a seed below zero": (lambda m, c, s: m.generate("a", seed=-1), lm.RangeError, "seed: -1"),
    "a seed too large": (lambda m, c, s: m.generate("a", seed=2**32), lm.RangeError, "seed: 4294967296"),
    "top_k as float": (lambda m, c, s: m.generate("a", top_k=1.5), TypeError, "top_k: int is needed, not float"),
    "temperature as text": (lambda m, c, s: m.generate("a", temperature="hot"), TypeError, "temperature: "),
    "a grammar as text": (lambda m, c, s: m.generate("a", grammar='root ::= "a"'), TypeError, r"grammar: lm\.Grammar is needed, not str"),
    "a schema of objects": (lambda m, c, s: m.generate("a", schema={"const": object()}), TypeError, "schema: "),
    "sampling as dictionary": (lambda m, c, s: m.sampler({"seed": 1}), TypeError, r"sampling: lm\.Sampling is needed, not dict"),
    "an order with NUL": (lambda m, c, s: m.sampler(lm.Sampling(order="top_k\0no-such")), lm.ArgumentError, "order: a NUL"),
    "an order as list": (lambda m, c, s: m.sampler(lm.Sampling(order=["top_k"])), TypeError, "order: str is needed, not list"),  # type: ignore[arg-type]
    "breakers as text": (lambda m, c, s: m.sampler(lm.Sampling(dry_breakers="ab")), TypeError, "dry_breakers: list is needed"),
    "biases as list": (lambda m, c, s: m.sampler(lm.Sampling(biases=[1])), TypeError, "biases: dict is needed"),  # type: ignore[arg-type]
    "a bias too far": (lambda m, c, s: m.sampler(lm.Sampling(biases={HUGE: 1.0})), lm.RangeError, "biases: 4294967301"),
    "n_ctx too large": (lambda m, c, s: m.context(n_ctx=2**32 + 64), lm.RangeError, "n_ctx: 4294967360"),
    "n_ctx as text": (lambda m, c, s: m.context(n_ctx="64"), TypeError, "n_ctx: int is needed, not str"),
    "k_type as text": (lambda m, c, s: m.context(k_type="q8_0"), TypeError, "k_type: int is needed, not str"),
    "a context of a path": (lambda m, c, s: lm.Context("m.gguf"), TypeError, r"model: lm\.Model is needed, not str"),  # type: ignore[arg-type]
    "parameters twice": (lambda m, c, s: m.chat(context=c, n_ctx=5), ValueError, "n_ctx"),
    "a plan's typing error": (lambda m, c, s: m.plan(PLAIN, nctx=5), TypeError, "a context has no parameter nctx"),
    "a path with NUL": (lambda m, c, s: lm.Model(f"{PLAIN}\0.txt"), lm.ArgumentError, "path: a NUL"),
    "a path that is none": (lambda m, c, s: lm.Model(5), TypeError, "path: str or a path is needed, not int"),  # type: ignore[arg-type]
    "a file to save with NUL": (lambda m, c, s: c.save("seq\0"), lm.ArgumentError, "path: a NUL"),
    "n_threads too large": (lambda m, c, s: lm.Runtime(2**32 + 1), lm.RangeError, "n_threads: 4294967297"),
    "a cpu with NUL": (lambda m, c, s: lm.Runtime(cpu="generic\0"), lm.ArgumentError, "cpu: a NUL"),
    "an executor that is none": (lambda m, c, s: lm.Runtime(executor=5), TypeError, "executor: function is needed"),  # type: ignore[arg-type]
    "a runtime that is none": (lambda m, c, s: lm.Model(PLAIN, runtime="r"), TypeError, r"runtime: lm\.Runtime"),  # type: ignore[arg-type]
    "a file for its descriptor": (lambda m, c, s: lm.Model.from_fd("a"), TypeError, "fd: int is needed, not str"),  # type: ignore[arg-type]
    "a row below zero": (lambda m, c, s: c.logits(-1), lm.RangeError, "row: -1"),
    "a length below zero": (lambda m, c, s: c.trim(-1), lm.RangeError, "n_tokens: -1"),
    "a sequence too far": (lambda m, c, s: c.fork(HUGE, 1), lm.RangeError, "source: 4294967301"),
    "items of numbers": (lambda m, c, s: c.eval_batch([5]), TypeError, "items: tuple is needed, not int"),
    "a sampler that is none": (lambda m, c, s: c.sample("s"), TypeError, r"sampler: lm\.Sampler is needed, not str"),
    "an adapter that is none": (lambda m, c, s: c.set_adapters(["a"]), TypeError, r"uses: lm\.Adapter is needed, not str"),
    "a grammar made directly": (lambda m, c, s: lm.Grammar('root ::= "a"'), TypeError, "Grammar.from_gbnf and"),  # type: ignore[arg-type]
    "a grammar of bytes": (lambda m, c, s: lm.Grammar.from_gbnf(b"root"), TypeError, "grammar: str is needed"),  # type: ignore[arg-type]
    "a grammar for a matcher": (lambda m, c, s: s.set_grammar(lm.Grammar.from_gbnf('root ::= "a"')), TypeError, "matcher: lm.GrammarMatcher"),
    "logits as text": (lambda m, c, s: s.pick("abc"), TypeError, "logits: list is needed, not str"),
    "messages as text": (lambda m, c, s: lm.Chat(None).render("hi"), TypeError, "messages: list is needed, not str"),  # type: ignore[arg-type]
    "one message alone": (lambda m, c, s: lm.Chat(None).render({"role": "user"}), TypeError, "messages: list is needed"),  # type: ignore[arg-type]
    "a date for a time": (lambda m, c, s: lm.Chat(None).render([], now="noon"), TypeError, "now: datetime is needed"),  # type: ignore[arg-type]
    "a number that JSON lacks": (lambda m, c, s: lm.Chat(None).render([], x=float("nan")), ValueError, "inputs: "),
    "a family with NUL": (lambda m, c, s: lm.ChatParser("qwen3\0"), lm.ArgumentError, "source: a NUL"),
    "a system that is no text": (lambda m, c, s: m.chat(system=5), TypeError, "system: str is needed, not int"),
    "tools that are no list": (lambda m, c, s: m.chat(tools=len), TypeError, "tools: list is needed"),
    "stops as text": (lambda m, c, s: m.chat().ask("a", stops="ab"), TypeError, "stops: list is needed, not str"),
    "a stop with NUL": (lambda m, c, s: m.chat().ask("a", stops=["a\0b"]), lm.ArgumentError, "stops: a NUL"),
    "a question of bytes": (lambda m, c, s: m.chat().ask(b"a"), TypeError, "text: str is needed, not bytes"),
    "a request as list": (lambda m, c, s: lm.ChatSession(c).run([]), TypeError, r"request: lm\.Request is needed, not list"),  # type: ignore[arg-type]
    "a request to stream as list": (lambda m, c, s: lm.ChatSession(c).stream([]), TypeError, r"request: lm\.Request is needed, not list"),  # type: ignore[arg-type]
    "a speculator that is none": (lambda m, c, s: c.generate("a", speculator="s"), TypeError, r"speculator: lm\.Speculator is needed"),
    "a choice as text": (lambda m, c, s: m.chat().ask("a", tool_choice="auto"), TypeError, "tool_choice: int is needed"),
    "a compiled gbnf": (lambda m, c, s: m.chat().ask("a", gbnf=lm.Grammar.from_gbnf('root ::= "a"')), TypeError, "gbnf: str is needed"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_does_not_fit_is_refused_by_name(what: str, chat_model: lm.Model) -> None:
    call, kind, words = WRONG[what]
    with chat_model.context(n_ctx=64) as context, chat_model.sampler() as sampler:
        context.eval([3])
        with pytest.raises(kind, match=f"^{words}" if kind is not ValueError else words):
            call(chat_model, context, sampler)
        assert context.tokens() == [3]


def test_structs_and_functions_of_c_take_numbers_in_their_range() -> None:
    params = raw.LM_CONTEXT_PARAMS_INIT()
    for value in (2**31 - 1, -2**31, True, lm.Pooling.MEAN):
        params.n_ctx = value
        assert params.n_ctx == value
    for value in (2**31, -2**31 - 1):
        with pytest.raises(lm.RangeError, match="n_ctx"):
            params.n_ctx = value
    with pytest.raises(lm.RangeError, match="n_threads"):
        raw.lm_runtime_params(n_threads=2**40)
    with pytest.raises(lm.RangeError, match="status"):
        raw.lm_status_name(2**31)


def test_numbers_of_other_libraries_are_numbers(model: lm.Model) -> None:
    numpy = pytest.importorskip("numpy")
    tokens = numpy.array([3, 14, 15])
    with model.context(n_ctx=numpy.int64(64)) as context:
        context.eval(tokens)
        assert context.tokens() == [3, 14, 15] and context.length(numpy.int32(0)) == 3
        context.trim(tokens[0] - 1)
        assert context.length() == 2
    assert model.generate(tokens, max_tokens=numpy.int64(2)).result() is not None
    with pytest.raises(lm.RangeError, match=r"tokens\[1\]"):
        token_array(numpy.array([1, HUGE]))


def test_half_a_surrogate_pair_is_a_replacement_character(chat_model: lm.Model) -> None:
    assert utf8("text", "a\ud800b\ud83d\ude00\udc00\ufeff") == "a\ufffdb\U0001f600\ufffd\ufeff".encode()
    assert chat_model.detokenize(chat_model.tokenize("a\ud800b")) == "a\ufffdb"
    with chat_model.chat(n_ctx=256) as chat:
        assert chat.ask("half a pair: \ud83d", max_tokens=1).report.n_generated == 1
        assert "\ufffd" in chat.session.chat.render(chat.messages).text
    with pytest.raises(lm.FormatError, match="UTF-8"):
        lm.Grammar.from_gbnf('root ::= "\ud800"')
    with pytest.raises(lm.FormatError, match="UTF-8"):
        lm.Grammar.from_json_schema('{"const": "\ud800"}')


def test_a_nul_in_a_text_is_a_character(chat_model: lm.Model) -> None:
    assert chat_model.detokenize_bytes(chat_model.tokenize("a\0b")) == b"a\0b"
    assert "a\0b" in lm.Chat(chat_model).render([{"role": "user", "content": "a\0b"}]).text
    with lm.Grammar.from_gbnf('root ::= "a\0b"').matcher() as matcher:
        assert matcher.accept_bytes("a\0b") == 3 and matcher.is_complete
    assert "general.architecture\0" not in chat_model.metadata and 5 not in chat_model.metadata  # type: ignore[comparison-overlap]


def test_any_memory_is_a_model(model: lm.Model) -> None:
    wanted = model.generate("ab", max_tokens=4, temperature=0).result()
    data = PLAIN.read_bytes()
    with open(PLAIN, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        for memory in (mapped, memoryview(data), bytearray(data)):
            with lm.Model.from_bytes(memory) as one:
                assert one.generate("ab", max_tokens=4, temperature=0).result() == wanted
                if isinstance(memory, bytearray):
                    with pytest.raises(BufferError):
                        memory.append(0)
        assert len(mapped) > 0
    memory.append(0)  # type: ignore[union-attr]  # nothing holds it any more, nor the mapping that was closed
    strided: Union[memoryview, str]
    for strided in ("text", memoryview(data)[::2]):
        with pytest.raises((TypeError, BufferError)):
            lm.Model.from_bytes(strided)
