# SPDX-License-Identifier: MIT
"""ChatSession: from messages to an answer in one call, or as a stream of deltas."""
from __future__ import annotations

import ctypes
import datetime
import json
import queue
import threading
import weakref
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Union

from . import _raw as raw
from ._arguments import c_text, instance, json_bytes, listed, source, whole
from ._chat import Chat, Delta, Message, delta_of, render_params
from ._context import Context
from ._errors import ClosedError, check, text_of
from ._generate import Finish
from ._grammar import Schema
from ._handle import Handle, Resource, bytes_of, chars, made, using
from ._interrupt import Ask, interruptible
from ._records import SyncInfo, record
from ._runtime import LOG
from ._sampler import Sampling
from ._schemas import schema_bytes
from ._stream import Stream

ToolChoice = raw.lm_tool_choice
OnDelta = Callable[[Delta], Optional[bool]]
_OnDelta = dict(raw.lm_chat_request._fields_)["on_delta"]  # type: ignore[arg-type]


@dataclass(frozen=True)
class Report:
    """How an answer went. message is the assistant's, for the history."""

    finish: Finish
    n_prompt: int
    n_generated: int
    sync: SyncInfo
    message: Dict[str, Any]
    n_forced: int


@dataclass
class Request:
    """What to answer: messages and tools as OpenAI writes them, as Python values or JSON."""

    messages: Union[str, Sequence[Message]]
    tools: Union[str, Sequence[Any], None] = None
    tool_choice: int = ToolChoice.AUTO
    schema: Optional[Schema] = None
    gbnf: Optional[str] = None
    variables: Optional[Mapping[str, Any]] = None
    stops: Sequence[str] = ()
    sampling: Optional[Sampling] = None
    max_tokens: Optional[int] = None
    now: Optional[datetime.datetime] = None

    def struct(self) -> raw.lm_chat_request:
        """The request as C takes it; what it points to lives as long as it does."""
        made = raw.LM_CHAT_REQUEST_INIT()
        made.max_tokens = -1 if self.max_tokens is None else whole("max_tokens", self.max_tokens)
        for name in ("messages", "tools", "schema", "gbnf", "variables"):
            value = getattr(self, name)
            if value is not None:
                data = source("gbnf", value) if name == "gbnf" else schema_bytes(value) if name == "schema" else json_bytes(name, value)
                setattr(made, name, chars(data))
                setattr(made, f"{name}_size", len(data))
        made.tool_choice = self.tool_choice
        stops = [chars(c_text("stops", stop)) for stop in listed("stops", self.stops)]
        made.stops = (ctypes.POINTER(ctypes.c_char) * len(stops))(*stops)
        made.n_stops = len(self.stops)
        if self.sampling is not None:
            made.sampling = ctypes.pointer(instance("sampling", self.sampling, Sampling).struct())
        if self.now is not None:
            made.now = ctypes.pointer(render_params(self.now))
        return made


class ChatSession(Handle):
    """A conversation's place on a context: a sequence of it. family and template override the model's. Takes turns with everything else
    on the context."""

    def __init__(self, context: Context, *, seq: int = 0, family: Optional[str] = None, template: Optional[str] = None) -> None:
        params = raw.LM_CHAT_SESSION_PARAMS_INIT()
        params.seq, params.log = seq, LOG
        params.family = chars(None if family is None else c_text("family", family))
        if template is not None:
            data = source("template", template)
            params.template_text, params.template_size = chars(data), len(data)
        self._context = context
        self._seq = seq
        with using(instance("context", context, Context)) as (pointer,), context._vocabulary._use() as model:
            out = made(raw.lm_chat_session_create, raw.lm_chat_session, model, pointer, ctypes.byref(params))
            super().__init__(Resource(out, raw.lm_chat_session_destroy, [context._resource]), context._turn)

    def run(self, request: Request, on_delta: Optional[OnDelta] = None) -> Report:
        """Answer. on_delta sees every delta as it comes; what it returns, if true, stops the answer; what it raises does too, and goes on
        to the caller. It is called in the calling thread, and must not use the context."""
        return self._run(instance("request", request, Request).struct(), on_delta)

    def _run(self, struct: raw.lm_chat_request, on_delta: Optional[OnDelta]) -> Report:
        report, raised = raw.LM_CHAT_REPORT_INIT(), []

        def run(pointer: Any, ask: Ask) -> int:
            def call(_user: Any, delta: Any) -> int:
                try:
                    made = delta_of(delta[0])
                    return 1 if on_delta is not None and ask(lambda: on_delta(made)) else 0
                except BaseException as error:  # it goes on in Python, not through C
                    raised.append(error)
                    return 1

            if on_delta is not None:
                struct.on_delta = _OnDelta(call)
            return raw.lm_chat_session_run(pointer, ctypes.byref(struct), ctypes.byref(report))

        with using(self) as (pointer,):
            self._context._changes[self._seq] += 1
            status = interruptible(lambda ask: run(pointer, ask), lambda: raw.lm_chat_session_cancel(pointer))
            if raised:
                raise raised[0]
            if status != raw.lm_status.OK:
                check(status, text_of(raw.lm_chat_session_message(pointer)))
            message = json.loads(bytes_of(report.message, report.message_size).decode("utf-8", "replace"))
        return Report(Finish(report.finish), report.n_prompt, report.n_generated, record(SyncInfo, report.sync), message, report.n_forced)

    def stream(self, request: Request) -> ChatStream:
        """The same as a stream of deltas whose result is the report."""
        return ChatStream(self, request)

    def cancel(self) -> None:
        """Stop the run in progress, from any thread: it finishes as CANCELLED with what there is. Without one, nothing happens."""
        with self._use() as pointer:
            raw.lm_chat_session_cancel(pointer)

    def _stop(self) -> None:
        try:
            self.cancel()
        except ClosedError:
            pass  # another thread was faster

    @property
    def chat(self) -> Chat:
        """The session's chat, for render and family."""
        with using(self) as (pointer,):
            chat = Chat.__new__(Chat)
            Handle.__init__(chat, Resource(raw.lm_chat_session_chat(pointer), lambda _: None, [self._resource]), self._turn)
            return chat


class _Run:
    """A run in a thread of its own. It knows nothing of the stream, so that a stream that is dropped can end it."""

    def __init__(self, session: ChatSession, struct: raw.lm_chat_request) -> None:
        self.items: queue.SimpleQueue[Optional[Delta]] = queue.SimpleQueue()
        self.is_cancelled = False
        self.report: Optional[Report] = None
        self.error: Optional[BaseException] = None
        self.session = session
        self.thread = threading.Thread(target=self.run, args=(struct,), name="lm-chat", daemon=True)

    def run(self, struct: raw.lm_chat_request) -> None:
        try:
            if not self.is_cancelled:
                self.report = self.session._run(struct, self.take)
        except BaseException as error:
            self.error = error
        self.items.put(None)

    def take(self, delta: Delta) -> bool:
        self.items.put(delta)
        return self.is_cancelled

    def stop(self) -> None:
        self.is_cancelled = True
        try:
            self.session.cancel()
        except ClosedError:
            pass  # closing ended the run

    def end(self) -> None:
        """Stop it, if it has not ended, and wait for the thread, unless that waits for us: a stream may be collected in the middle of a
        call on its context."""
        if self.session._turn is not None and self.session._turn.is_mine:
            self.stop()
            return
        while self.thread.is_alive():
            if self.is_cancelled or self.report is None:
                self.stop()
            self.thread.join(0.02)


class ChatStream(Stream[Delta, Report]):
    """Deltas as they come. Closing it, or leaving its loop and dropping it, stops the answer; report then says what there was."""

    def __init__(self, session: ChatSession, request: Request) -> None:
        if session._turn is not None:
            session._turn.refuse_within()  # the thread would wait for us, and we for it
        self._run = _Run(session, instance("request", request, Request).struct())
        super().__init__()
        self._finalizer = weakref.finalize(self, self._run.end)  # also at the end of the program, which would freeze the thread
        try:
            self._run.thread.start()
        except BaseException:  # an interrupt, perhaps, and the thread may run already
            self._run.stop()
            raise

    @property
    def report(self) -> Optional[Report]:
        """None before the end, and after an error."""
        return self._run.report

    def _step(self) -> Optional[Delta]:
        item = self._run.items.get()
        if item is None and self._run.error is not None:
            error, self._run.error = self._run.error, None
            raise error
        return item

    def _poke(self) -> None:
        self._run.stop()

    def _end(self) -> None:
        self._finalizer()

    def _result(self) -> Report:
        if self.report is None:
            raise ClosedError("the stream ended without a report")
        return self.report
