# SPDX-License-Identifier: MIT
"""Conversations: sessions, streams, tools that are Python functions, answers of a schema."""
from __future__ import annotations

import inspect
import json
from typing import Any, Dict, List, Literal

import pytest

import lm

USER = [{"role": "user", "content": "h\u00e9"}]
SEEDED = lm.Sampling(seed=1)


def test_prompts_are_rendered_with_their_spans(chat_model: lm.Model) -> None:
    with lm.Chat(chat_model) as chat, lm.ChatSession(chat_model.context(n_ctx=256)) as session:
        prompt = chat.render(USER)
        assert prompt.text == "<|im_start|>user\nh\u00e9<|im_end|>\n<|im_start|>assistant\n"
        assert [prompt.data[s.start:s.end].decode() for s in prompt.spans if s.is_caller and s.message == 0][-1] == "h\u00e9"
        assert session.chat.render(USER).data == prompt.data and chat.family == "qwen3"
        assert "Tools: [1]" in chat.render(USER, tools=[1], add_generation_prompt=False).text
        parser = chat.parser(tools=[])
        assert [d.kind for d in parser.feed("abc") + parser.finish()] == [lm.DeltaKind.CONTENT]
        with pytest.raises(lm.StateError):
            parser.feed("more")
    with pytest.raises(lm.NotFoundError):
        lm.ChatParser("no-such-family")


def test_a_run_and_a_stream_say_the_same(chat_model: lm.Model) -> None:
    request = lm.Request(USER, sampling=SEEDED, max_tokens=24)
    with chat_model.context(n_ctx=512) as context, lm.ChatSession(context) as session:
        deltas: List[lm.Delta] = []
        report = session.run(request, lambda delta: deltas.append(delta))
        stream = session.stream(request)
        assert list(stream) == deltas and stream.report == stream.result()
        assert stream.result().message == report.message and report.finish == lm.Finish.LENGTH and report.n_generated == 24
        assert "".join(d.text for d in deltas if d.kind == lm.DeltaKind.CONTENT) == report.message["content"]
        assert stream.result().sync.n_evaluated < report.sync.n_evaluated


def test_callbacks_stop_an_answer_and_their_errors_go_on(chat_model: lm.Model) -> None:
    with chat_model.context(n_ctx=512) as context, lm.ChatSession(context) as session:
        request = lm.Request(USER, sampling=SEEDED, max_tokens=50)
        seen: List[lm.Delta] = []
        report = session.run(request, lambda delta: bool(seen.append(delta)) or len(seen) == 3)  # type: ignore[func-returns-value]
        assert report.finish == lm.Finish.CANCELLED and len(seen) == 3

        def fail(delta: lm.Delta) -> None:
            raise KeyError("mine")

        with pytest.raises(KeyError, match="mine"):
            session.run(request, fail)
        with pytest.raises(lm.FormatError, match="messages"):
            session.run(lm.Request('{"not": "a list"}'))
        with pytest.raises(lm.FormatError, match="messages"):
            session.stream(lm.Request('{"not": "a list"}')).result()
        assert session.run(lm.Request(USER, max_tokens=1)).n_generated == 1


def test_stops_end_an_answer(chat_model: lm.Model) -> None:
    with chat_model.chat(sampling=SEEDED, n_ctx=512) as chat:
        whole = chat.ask("hi", max_tokens=40).content
        chat.messages.clear()
        stop = whole[5]
        reply = chat.ask("hi", max_tokens=40, stops=[stop])
        assert reply.finish == lm.Finish.STOP and reply.content == whole[:whole.index(stop)]


def test_conversations_remember_and_reuse(chat_model: lm.Model) -> None:
    with chat_model.chat(system="Be brief.", seed=5, n_ctx=2048) as chat:
        first = chat.ask("one", max_tokens=20)
        second = chat.ask("two", max_tokens=20)
        assert [m["role"] for m in chat.messages] == ["system", "user", "assistant", "user", "assistant"]
        assert chat.messages[2]["content"] == first.content and str(second) == second.content
        assert second.report.sync.n_reused >= first.report.n_prompt
        with pytest.raises(lm.FullError):
            chat.ask("x" * 5000)
        assert len(chat.messages) == 5, "what fails leaves the history as it was"
        answer = chat.send("three", max_tokens=200)
        with pytest.raises(lm.BusyError, match="being answered"):
            chat.send("four")
        next(answer)
        answer.close()
        assert [m["role"] for m in chat.messages[5:]] == ["user", "assistant"]
        assert answer.result().finish in (lm.Finish.CANCELLED, lm.Finish.END, lm.Finish.LENGTH)


def test_answers_keep_to_a_schema(chat_model: lm.Model) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 0, "maximum": 9}}, "required": ["n"],
              "additionalProperties": False}
    with chat_model.chat(seed=2, n_ctx=2048) as chat:
        for _ in range(3):
            assert 0 <= chat.ask("a number", schema=schema, max_tokens=500).json()["n"] <= 9


def test_answers_keep_to_a_grammar_and_templates_to_their_messages(chat_model: lm.Model) -> None:
    with chat_model.chat(seed=2, top_k=40, top_p=1.0, min_p=0.0, n_ctx=512) as chat:
        assert chat.ask("yes or no?", gbnf='root ::= "yes" | "no"').content in ("yes", "no")
    parts = [{"role": "user", "content": [{"type": "text", "text": "in parts"}]}]
    with lm.Chat(chat_model) as plain:
        assert "<|im_start|>user\nin parts<|im_end|>" in plain.render(parts, adapt=True).text
        assert "'type'" in plain.render(parts).text


def test_python_functions_are_called(chat_model: lm.Model) -> None:
    calls: List[Dict[str, Any]] = []

    def add(a: int, b: int = 1) -> int:
        """The sum of two numbers."""
        calls.append({"a": a, "b": b})
        return a + b

    with chat_model.chat(seed=1, tools=[add], max_rounds=2, n_ctx=4096) as chat:
        answer = chat.send("add", tool_choice=lm.ToolChoice.REQUIRED, max_tokens=150)
        kinds = [delta.kind for delta in answer]
        reply = answer.result()
        assert calls and kinds[0] == lm.DeltaKind.CALL and lm.DeltaKind.CALL_END in kinds
        result = next(m for m in chat.messages if m["role"] == "tool")
        assert result["content"] == str(calls[0]["a"] + calls[0]["b"]) and result["tool_call_id"]
        assert chat.messages[1]["tool_calls"][0]["id"] == result["tool_call_id"]
        assert reply.report.n_prompt > 0 and chat.messages[-1]["role"] == "assistant"


def test_what_a_tool_raises_goes_on(chat_model: lm.Model) -> None:
    def broken(word: Literal["a", "b"]) -> str:
        raise OverflowError(word)

    with chat_model.chat(seed=1, tools=[broken], n_ctx=2048) as chat:
        with pytest.raises(OverflowError, match="[ab]"):
            chat.ask("go", tool_choice=lm.ToolChoice.REQUIRED, max_tokens=200)
        assert chat.messages == []


def test_a_tool_may_stop_its_answer_and_not_close_it(chat_model: lm.Model) -> None:
    seen: List[BaseException] = []

    def tool(flag: bool) -> str:
        for call in (answer.close, lambda: next(answer), lambda: chat.send("more")):
            try:
                call()
            except lm.BusyError as error:
                seen.append(error)
        answer.cancel()
        return ""

    with chat_model.chat(seed=1, tools=[tool], n_ctx=4096) as chat:
        answer = chat.send("go", tool_choice=lm.ToolChoice.REQUIRED, max_tokens=300)
        reply = answer.result()
        assert len(seen) == 3 and reply.finish == lm.Finish.CANCELLED and not reply.tool_calls


def test_calls_of_declared_tools_wait_for_results(chat_model: lm.Model) -> None:
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {"up": {"type": "boolean"}},
                                                                            "required": ["up"], "additionalProperties": False}}}
    with chat_model.chat(seed=1, tools=[tool], n_ctx=4096) as chat:
        reply = chat.ask("look", tool_choice=lm.ToolChoice.REQUIRED, max_tokens=300)
        assert reply.finish == lm.Finish.CALLS and reply.tool_calls
        for call in reply.tool_calls:
            assert isinstance(json.loads(call["function"]["arguments"])["up"], bool)
            chat.add_result(call, {"seen": "sky"})
        assert chat.ask(None, max_tokens=5, tool_choice=lm.ToolChoice.NONE).report.n_generated == 5
        assert json.loads(chat.messages[2]["content"]) == {"seen": "sky"}


def test_asking_takes_what_sending_takes() -> None:
    send, ask = (inspect.signature(call) for call in (lm.Conversation.send, lm.Conversation.ask))
    assert list(send.parameters.values()) == list(ask.parameters.values())
