# SPDX-License-Identifier: MIT
"""Who keeps whom alive, what closing does, and what failures look like."""
from __future__ import annotations

import ctypes
import gc
import logging
import pathlib
import weakref
from typing import Any, Callable, Dict, List

import pytest

import lm
from conftest import CHAT, GOLDEN, PLAIN
from lm import _raw as raw

TOKENS = [3, 14, 15, 9, 26]


def test_use_after_close_is_refused_by_name(chat_model: lm.Model) -> None:
    context = chat_model.context(n_ctx=64, n_draft=2)
    grammar = lm.Grammar.from_gbnf('root ::= "a"+')
    handles: Dict[str, Any] = {
        "Context": (context, lambda: context.eval(TOKENS)),
        "Sampler": (chat_model.sampler(), None),
        "ChatSession": (lm.ChatSession(context), None),
        "Speculator": (lm.Speculator(context), None),
        "Chat": (lm.Chat(chat_model), None),
        "ChatParser": (lm.ChatParser("qwen3"), None),
        "GrammarMatcher": (grammar.matcher(), None),
        "Grammar": (grammar, None),
        "TextStream": (chat_model.text_stream(), None),
        "Runtime": (lm.Runtime(1), None),
        "Model": (chat_model, lambda: chat_model.tokenize("a")),
    }
    calls: Dict[str, Callable[[Any], Any]] = {
        "Sampler": lambda h: h.seed, "ChatSession": lambda h: h.chat, "Speculator": lambda h: h.stats, "Chat": lambda h: h.family,
        "ChatParser": lambda h: h.result(), "GrammarMatcher": lambda h: h.position, "Grammar": lambda h: h.memory,
        "TextStream": lambda h: h.next(5), "Runtime": lambda h: h.threads,
    }
    for name, (handle, call) in handles.items():
        assert not handle.closed
        handle.close()
        handle.close()
        assert handle.closed and "closed" in repr(handle)
        with pytest.raises(lm.ClosedError, match=f"the {name} is closed"):
            call() if call else calls[name](handle)
        with pytest.raises(lm.ClosedError):
            handle.__enter__()


def test_children_outlive_what_they_were_made_from() -> None:
    model = lm.Model(CHAT, runtime=lm.Runtime(1))
    context, sampler, stream = model.context(n_ctx=128, n_draft=2), model.sampler(lm.Sampling(temperature=0)), model.text_stream()
    session, speculator = lm.ChatSession(context), lm.Speculator(context)
    chat = session.chat
    model.close()
    context.eval(TOKENS)
    token = context.sample(sampler)
    assert isinstance(stream.next(token), str)
    generation = context.generate("abc", max_tokens=3, sampling=lm.Sampling(temperature=0))
    assert len(generation.result()) > 0
    context.close()
    assert session.run(lm.Request([{"role": "user", "content": "a"}], max_tokens=2)).n_generated == 2
    session.close()
    assert chat.family == "qwen3"
    assert speculator.stats.n_plain == 0
    del model, context, sampler, stream, session, speculator, chat, generation
    gc.collect()


def test_what_is_let_go_is_closed() -> None:
    model = lm.Model(PLAIN, n_threads=1)
    resource = weakref.ref(model._resource)
    context = model.context(n_ctx=64)
    del model
    gc.collect()
    assert resource() is not None and not resource()._gone  # type: ignore[union-attr]
    del context
    gc.collect()
    assert resource() is None or resource()._gone  # type: ignore[union-attr]


def test_views_outlive_the_context_and_share_its_memory(model: lm.Model) -> None:
    context = model.context(n_ctx=64, n_outputs=8)
    context.eval(TOKENS)
    first, second = context.logits(), context.logits()
    assert len(first) == model.n_vocab and bytes(first) == bytes(second)
    before = first.copy()
    context.eval([7])
    assert bytes(first) != bytes(before), "a view shows the next evaluation"
    assert bytes(first) == bytes(context.logits())
    with pytest.raises(ValueError):
        first[0] = 1
    slice_of_it = first[3:5]
    del first, second
    context.close()
    model.close()
    gc.collect()
    assert len(slice_of_it.tolist()) == 2


def test_views_need_no_numpy(model: lm.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    with model.context(n_ctx=64, outputs=lm.Output.LOGITS | lm.Output.HIDDEN) as context:
        context.eval(TOKENS)
        wanted, hidden = context.logits().tolist(), context.hidden()
        assert len(hidden) == model.info.n_embd
        monkeypatch.setitem(sys.modules, "numpy", None)
        plain = context.logits()
        assert isinstance(plain, memoryview) and plain.readonly and plain.tolist() == wanted
        with pytest.raises(lm.StateError, match="no such row"):
            context.pooled()
    with model.context(outputs=lm.Output.POOLED, n_ctx=64) as context:
        rows: Any = context.embed(["ab", [3, 4]])
        with pytest.raises(TypeError, match="a list of texts"):
            context.embed("ab")
        assert rows.shape == (2, model.info.n_embd) and abs(rows[1, 0]) <= 1


def test_failures_are_exceptions_with_a_status(tmp_path: pathlib.Path, model: lm.Model) -> None:
    with pytest.raises(lm.NotFoundError, match="no-such") as raised:
        lm.Model("no-such.gguf")
    assert raised.value.status == lm.Status.NOT_FOUND and isinstance(raised.value, lm.Error)
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(b"GGUF" + bytes(60))
    with pytest.raises(lm.Error) as other:
        lm.Model(bad)
    assert other.value.status in (lm.Status.FORMAT, lm.Status.UNSUPPORTED)
    with pytest.raises(lm.FormatError) as where:
        lm.Grammar.from_gbnf('root ::= "a"\nother ::= (')
    assert where.value.line == 2 and where.value.offset and isinstance(where.value, ValueError)
    with pytest.raises(lm.UnsupportedError, match="uniqueItems"):
        lm.Grammar.from_json_schema({"type": "array", "uniqueItems": True})
    with pytest.raises(lm.RaisedError, match="no way"):
        lm.Chat("{{ raise_exception('no way') }}").render([])
    with model.context(n_ctx=64) as context:
        with pytest.raises(lm.RangeError, match="100000"):
            context.eval([100000])
        with pytest.raises(lm.FullError):
            context.eval([5] * 65)
        with pytest.raises(lm.StateError):
            context.sample(model.sampler())
        with pytest.raises(lm.RangeError):
            context.trim(1, seq=9)
        context.eval(TOKENS)
        assert context.tokens() == TOKENS
    with pytest.raises(lm.ArgumentError, match="no-such-cpu"):
        lm.Runtime(cpu="no-such-cpu")
    with pytest.raises(lm.ArgumentError):
        model.sampler(lm.Sampling(order="nonsense"))
    with pytest.raises(lm.MismatchError):
        lm.Adapter(model, GOLDEN / "adapters/plain-lora.gguf")


def test_every_status_has_a_class() -> None:
    from lm._errors import _CLASSES

    assert set(_CLASSES) == {int(status) for status in lm.Status} - {0}
    assert all(issubclass(kind, lm.Error) and kind.status == status for status, kind in _CLASSES.items())


def test_the_log_goes_to_logging(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="lm"), lm.Model(PLAIN) as model, lm.Chat(model) as chat:
        assert "hi" in chat.render([{"role": "user", "content": "hi"}]).text
    assert any(record.levelno == logging.WARNING and "template" in record.getMessage() for record in caplog.records)


def test_models_open_from_all_places(model: lm.Model) -> None:
    data = PLAIN.read_bytes()
    with open(PLAIN, "rb") as file:
        opened = [lm.Model.from_bytes(data), lm.Model.from_bytes(bytearray(data)), lm.Model.from_fd(file.fileno()),
                  lm.Model(str(PLAIN), load=lm.Load.READ)]
    wanted = model.generate("ab", max_tokens=6, temperature=0).result()
    for one in opened:
        assert one.generate("ab", max_tokens=6, temperature=0).result() == wanted
        one.close()


def test_models_say_what_they_are(model: lm.Model) -> None:
    info = model.info
    assert (info.architecture, info.n_vocab) == ("llama", model.n_vocab)
    metadata = model.metadata
    assert metadata["general.architecture"] == "llama" and len(metadata["tokenizer.ggml.tokens"]) == info.n_vocab
    assert set(metadata) == set(dict(metadata)) and len(metadata) == len(list(metadata)) and "nope" not in metadata
    tensors = model.tensors()
    assert sum(tensor.bytes for tensor in tensors) == info.weights_bytes and tensors[0].dims[0] > 0
    assert model.token(lm.TokenRole.BOS) == model.bos and model.eos is not None and model.is_end(model.eos)
    assert model.attributes(model.eos) & lm.TokenAttribute.CONTROL
    assert model.eot is None or model.is_end(model.eot)
    plan = lm.Model.plan(PLAIN, n_ctx=128)
    with model.context(n_ctx=128) as context:
        memory = context.memory
        assert plan.fits and plan.memory.cache_bytes == memory.cache_bytes and context.params.n_ctx == 128


def test_a_host_may_bring_threads_and_backends(model: lm.Model) -> None:
    sizes: List[int] = []

    def in_turn(n: int, task: Callable[[int], None]) -> None:
        sizes.append(n)
        for i in range(n):
            task(i)

    def forgetful(n: int, task: Callable[[int], None]) -> None:
        task(0)
        raise RuntimeError("broken")

    wanted = model.generate("ab", max_tokens=4, temperature=0).result()
    for executor in (in_turn, forgetful):
        with lm.Runtime(2, executor=executor) as runtime, lm.Model(PLAIN, runtime=runtime) as other:
            assert runtime.threads == 2 and runtime.cpu
            assert other.generate("ab", max_tokens=4, temperature=0).result() == wanted
    assert sizes
    table = raw.lm_backend(struct_size=ctypes.sizeof(raw.lm_backend), api_version=raw.LM_BACKEND_API + 1)
    with pytest.raises(lm.ArgumentError):
        lm.Runtime(backends=[ctypes.addressof(table)])
    with pytest.raises(ValueError, match="runtime"):
        lm.Model(PLAIN, runtime=lm.Runtime(1), n_threads=2)


@pytest.mark.slow
def test_the_machine_is_measured() -> None:
    machine = lm.Runtime(1).measure()
    assert machine.n_threads == 1 and machine.read_bytes_per_second > 0 and machine.int_ops_per_second > 0


def test_the_builtin_model_is_there_or_said_to_be_missing() -> None:
    try:
        model = lm.Model.builtin()
    except lm.NotFoundError as error:
        assert "built-in model" in error.message
        pytest.skip("the package was built without the built-in model")
    with model:
        assert model.generate("a", max_tokens=3).result() is not None


def test_the_version_is_the_library_s() -> None:
    text = (GOLDEN.parents[1] / "include/lm/version.h").read_text()
    numbers = [line.split()[-1] for line in text.splitlines() if line.startswith("#define LM_VERSION_M") or "_PATCH" in line]
    assert lm.__version__ == ".".join(numbers)
