# SPDX-License-Identifier: MIT
"""Chat: messages to a model's prompt, and what a model writes to messages."""
from __future__ import annotations

import ctypes
import datetime
import json
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Union

from . import _raw as raw
from ._arguments import c_text, instance, json_bytes, listed, source as source_bytes, utf8
from ._errors import check, failure, failure_of, text_of
from ._handle import Handle, Resource, Turn, bytes_of, chars, made, using
from ._runtime import LOG
from ._vocabulary import Vocabulary

DeltaKind = raw.lm_chat_delta_kind
Message = Mapping[str, Any]


class Delta(NamedTuple):
    """A piece of an answer. call numbers the tool calls from 0; -1 for content and reasoning."""

    kind: DeltaKind
    text: str
    call: int


class Span(NamedTuple):
    """Bytes [start, end) of a prompt, the message they belong to (-1: none), and whether they come from the caller's data."""

    start: int
    end: int
    message: int
    is_caller: bool


@dataclass(frozen=True)
class Prompt:
    data: bytes
    spans: List[Span]

    @property
    def text(self) -> str:
        """The prompt as text; bytes that are no UTF-8 become U+FFFD."""
        return self.data.decode("utf-8", "replace")


def delta_of(delta: raw.lm_chat_delta) -> Delta:
    return Delta(DeltaKind(delta.kind), bytes_of(delta.text, delta.text_size).decode("utf-8", "replace"), delta.call)


def render_params(now: Optional[datetime.datetime]) -> raw.lm_chat_render_params:
    params = raw.LM_CHAT_RENDER_PARAMS_INIT()
    if now is not None:
        instance("now", now, datetime.datetime)
        for name in ("year", "month", "day", "hour", "minute", "second"):
            setattr(params, name, getattr(now, name))
    return params


class Chat(Handle):
    """A chat template and the syntax of answers that goes with it. Chat(model) takes the model's, Chat(text) reads a template, Chat(None)
    is ChatML. One thread at a time; others wait."""

    def __init__(self, source: Union[Vocabulary, str, None]) -> None:
        params = raw.LM_CHAT_PARAMS_INIT()
        params.log = LOG
        if isinstance(source, Vocabulary):
            with source._use() as model:
                pointer = made(raw.lm_chat_from_model, raw.lm_chat, model, ctypes.byref(params))
        else:
            data = None if source is None else source_bytes("source", source)
            pointer = made(raw.lm_chat_from_template, raw.lm_chat, data, len(data or b""), ctypes.byref(params))
        super().__init__(Resource(pointer, raw.lm_chat_destroy), Turn("chat"))

    @property
    def family(self) -> str:
        """The name of the answers' syntax."""
        with using(self) as (pointer,):
            return text_of(raw.lm_chat_family(pointer))

    def render(self, messages: Sequence[Message], *, tools: Optional[Sequence[Any]] = None, add_generation_prompt: bool = True,
               now: Optional[datetime.datetime] = None, adapt: bool = False, **variables: Any) -> Prompt:
        """The prompt of a conversation. adapt rewrites messages to what the template takes (doc/chat.md has the rules). variables are the
        template's others, such as enable_thinking=False; now is what it sees as the time, 1970 by default."""
        inputs: Dict[str, Any] = {"messages": listed("messages", messages), "add_generation_prompt": add_generation_prompt}
        if tools is not None:
            inputs["tools"] = tools
        return self.render_inputs({**inputs, **variables}, now=now, adapt=adapt)

    def render_inputs(self, inputs: Union[str, Mapping[str, Any]], *, now: Optional[datetime.datetime] = None, adapt: bool = False) -> Prompt:
        """The prompt from all of the template's variables, given as JSON or as what json.loads makes of it."""
        data, prompt, error, params = json_bytes("inputs", inputs), raw.LM_CHAT_PROMPT_INIT(), raw.lm_error(), render_params(now)
        params.flags = int(raw.LM_CHAT_RENDER_ADAPT) if adapt else 0
        with using(self) as (pointer,):
            if raw.lm_chat_render(pointer, data, len(data), ctypes.byref(params), ctypes.byref(prompt), ctypes.byref(error)) != raw.lm_status.OK:
                whole = text_of(raw.lm_chat_message(pointer))  # what a template raises may be longer than an lm_error
                raise failure(error.status, whole) if error.status == raw.lm_status.RAISED and whole else failure_of(error)
            spans = [Span(s.start, s.end, s.message, bool(s.flags & int(raw.LM_CHAT_SPAN_CALLER))) for s in prompt.spans[:prompt.n_spans]]
            return Prompt(bytes_of(prompt.text, prompt.text_size), spans)

    def parser(self, *, generation_prompt: Optional[str] = None, tools: Optional[Sequence[Any]] = None) -> ChatParser:
        """A parser of answers in this chat's syntax."""
        return ChatParser(self, generation_prompt=generation_prompt, tools=tools)


class ChatParser(Handle):
    """Reads what a model writes, cut anywhere. source: a chat, or the name of a syntax such as "qwen3". tools None: any name is a tool."""

    def __init__(self, source: Union[Chat, str], *, generation_prompt: Optional[str] = None, tools: Optional[Sequence[Any]] = None) -> None:
        params = raw.LM_CHAT_PARSER_PARAMS_INIT()
        if generation_prompt is not None:
            data = utf8("generation_prompt", generation_prompt)
            params.generation_prompt, params.generation_prompt_size = chars(data), len(data)
        if tools is not None:
            data = json_bytes("tools", listed("tools", tools))
            params.tools, params.tools_size = chars(data), len(data)
        if isinstance(source, str):
            pointer = made(raw.lm_chat_parser_create, raw.lm_chat_parser, None, c_text("source", source), ctypes.byref(params))
        else:
            with using(instance("source", source, Chat)) as (chat,):
                pointer = made(raw.lm_chat_parser_create, raw.lm_chat_parser, chat, None, ctypes.byref(params))
        super().__init__(Resource(pointer, raw.lm_chat_parser_destroy), Turn("parser"))

    def feed(self, text: Union[str, bytes]) -> List[Delta]:
        """Read a piece, special tokens as text; what it completes."""
        data = utf8("text", text) if isinstance(text, str) else instance("text", text, bytes)
        with using(self) as (pointer,):
            check(raw.lm_chat_parser_feed(pointer, data, len(data)), "the text was finished already, or memory is short")
            return self._deltas(pointer)

    def finish(self, *, cut_off: bool = False) -> List[Delta]:
        """The text has ended; cut_off: at a limit rather than at an end token."""
        with using(self) as (pointer,):
            check(raw.lm_chat_parser_finish(pointer, cut_off), "the text was finished already, or memory is short")
            return self._deltas(pointer)

    def result(self) -> Dict[str, Any]:
        """Everything so far: content, reasoning_content, tool_calls with arguments as a text of JSON."""
        text, size = ctypes.POINTER(ctypes.c_char)(), ctypes.c_size_t()
        with using(self) as (pointer,):
            check(raw.lm_chat_parser_result(pointer, ctypes.byref(text), ctypes.byref(size)))
            found: Dict[str, Any] = json.loads(bytes_of(text, size.value).decode("utf-8", "replace"))
        return found

    @staticmethod
    def _deltas(pointer: Any) -> List[Delta]:
        found, delta = [], raw.lm_chat_delta()
        while raw.lm_chat_parser_next(pointer, ctypes.byref(delta)):
            found.append(delta_of(delta))
        return found
