# SPDX-License-Identifier: MIT
"""Conversation: a history that grows, with tools that are called."""
from __future__ import annotations

import asyncio
import datetime
import inspect
import json
import threading
from concurrent.futures import CancelledError as FutureCancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Awaitable, Dict, List, Mapping, Optional, Sequence, Type, TypeVar

from ._arguments import dictionary, instance, listed, whole
from ._chat import Delta
from ._errors import BusyError, ClosedError
from ._generate import Finish
from ._handle import Unpicklable
from ._grammar import Schema
from ._sampler import Sampling, choose_sampling
from ._session import ChatSession, Report, Request, ToolChoice
from ._stream import Stream
from ._schemas import json_text, value_of
from ._tools import Tool, split

T = TypeVar("T")


@dataclass(frozen=True)
class Reply:
    """An answer as a whole. tool_calls are those that wait for results: calls of tools that are no Python functions."""

    content: str
    reasoning: str
    tool_calls: List[Dict[str, Any]]
    finish: Finish
    report: Report

    def json(self) -> Any:
        """The content read as JSON, where a schema was asked for."""
        return json.loads(self.content)

    def parse(self, kind: Type[T]) -> T:
        """The content as the type that was asked for as the schema: a dataclass, an Enum, a model of pydantic's, ..."""
        found: T = value_of(kind, self.json())
        return found

    def __str__(self) -> str:
        return self.content


_CANCELLED = "cancelled"


class Conversation(Unpicklable):
    """A chat that remembers. model.chat() makes one; messages is its history, which may be changed between answers.

    Tools that are Python functions are called in the thread that takes the answer's deltas, and their results go back to the model;
    what a function raises goes on to the caller. Calls of other tools end the answer: say what they gave with add_result, then
    send(None).
    """

    def __init__(self, session: ChatSession, owned: Sequence[Any] = (), *, system: Optional[str] = None,
                 messages: Sequence[Mapping[str, Any]] = (), tools: Sequence[Tool] = (), sampling: Optional[Sampling] = None,
                 max_rounds: int = 8, variables: Optional[Mapping[str, Any]] = None) -> None:
        self.session = session
        self.messages: List[Dict[str, Any]] = []
        if system is not None:
            self.messages.append({"role": "system", "content": instance("system", system, str)})
        self.messages += [dict(dictionary("messages", message)) for message in listed("messages", messages)]
        self.max_rounds = whole("max_rounds", max_rounds)
        self._owned = [session, *owned]
        self._declarations, self._functions = split(listed("tools", tools))
        self._sampling = sampling
        self._variables = None if variables is None else dictionary("variables", variables)
        self._now = datetime.datetime.now()  # one time for the whole conversation: a prompt that changes is evaluated again
        self._answer: Optional[Answer] = None
        self._lock = threading.Lock()

    def send(self, text: Optional[str], *, schema: Optional[Schema] = None, gbnf: Optional[str] = None, tool_choice: int = ToolChoice.AUTO,
             stops: Sequence[str] = (), max_tokens: Optional[int] = None, temperature: Optional[float] = None, seed: Optional[int] = None,
             sampling: Optional[Sampling] = None) -> Answer:
        """Say something and stream the answer; None goes on without a new message. One answer at a time. An answer that is stopped stays in
        the history as far as it came; one that fails leaves the history as it was."""
        chosen = choose_sampling(sampling or self._sampling, temperature=temperature, seed=seed)
        with self._lock:
            if self._answer is not None and not self._answer._is_closed:
                raise BusyError("the conversation is being answered: take or close that answer first")
            request = Request(self.messages, self._declarations or None, tool_choice, schema, gbnf, self._variables, stops, chosen, max_tokens,
                              self._now)
            self._answer = answer = Answer(self, request, text)
            return answer

    def ask(self, text: Optional[str], *, schema: Optional[Schema] = None, gbnf: Optional[str] = None, tool_choice: int = ToolChoice.AUTO,
            stops: Sequence[str] = (), max_tokens: Optional[int] = None, temperature: Optional[float] = None, seed: Optional[int] = None,
            sampling: Optional[Sampling] = None) -> Reply:
        """Say something and wait for the whole answer; otherwise as send."""
        with self.send(text, schema=schema, gbnf=gbnf, tool_choice=tool_choice, stops=stops, max_tokens=max_tokens, temperature=temperature,
                       seed=seed, sampling=sampling) as answer:
            return answer.result()

    def add_result(self, call: Mapping[str, Any], result: Any) -> None:
        """Enter what a tool call of Reply.tool_calls gave."""
        self.messages.append({"role": "tool", "tool_call_id": call.get("id", ""), "name": call["function"]["name"],
                              "content": json_text(result, call["function"]["name"])})

    def cancel(self) -> None:
        """Stop the answer in progress, from any thread."""
        if self._answer is not None:
            self._answer.cancel()

    @property
    def closed(self) -> bool:
        """Whether the conversation was closed."""
        return self.session.closed

    def __repr__(self) -> str:
        return f"<lm.Conversation of {len(self.messages)} messages{' (closed)' if self.closed else ''}>"

    def close(self) -> None:
        """Stop the answer in progress and give the session up, with the context that was made for it."""
        if self._answer is not None:
            self._answer.close()
        for one in self._owned:
            one.close()

    def __enter__(self) -> Conversation:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Answer(Stream[Delta, Reply]):
    """Deltas of an answer, of all its rounds when tools are called; the result is the reply."""

    def __init__(self, conversation: Conversation, request: Request, text: Optional[str]) -> None:
        self._conversation = conversation
        self._request = request
        self._before = len(conversation.messages)  # to which an error returns
        self._rounds = 1
        self._report: Optional[Report] = None
        self._has_failed = False
        self._is_cancelled = False  # perhaps between two rounds
        self._waiting: List[Dict[str, Any]] = []  # calls that got no result
        self._pending: Optional[Future[Any]] = None  # of an asynchronous tool
        if text is not None:
            conversation.messages.append({"role": "user", "content": instance("text", text, str)})
        try:
            self._stream = conversation.session.stream(request)
            super().__init__()
        except BaseException:
            self._fail()
            raise

    def _fail(self) -> None:
        self._has_failed = True
        del self._conversation.messages[self._before:]

    def _step(self) -> Optional[Delta]:
        try:
            return self._next_delta()
        except BaseException:
            self._fail()
            raise

    def _next_delta(self) -> Optional[Delta]:
        while True:
            delta = self._stream._next()
            if delta is not None:
                return delta
            if not self._take_report() or not self._call_tools():
                return None
            self._rounds += 1
            # The choice was for the first round: required calls would never end.
            choice = self._request.tool_choice if self._request.tool_choice == ToolChoice.NONE else ToolChoice.AUTO
            self._request = Request(**{**vars(self._request), "tool_choice": choice})
            self._stream = self._conversation.session.stream(self._request)

    def _take_report(self) -> bool:
        report = self._stream.report
        if report is None or report is self._report or self._has_failed:
            return False
        self._report = report
        self._conversation.messages.append(dict(report.message))
        return True

    def _call_tools(self) -> bool:
        """Make the calls that are Python functions, until one of them cancels; whether the answer goes on."""
        report, functions = self._report, self._conversation._functions
        if report is None or report.finish != Finish.CALLS:
            return False
        calls = self._waiting = report.message.get("tool_calls", [])
        if self._rounds >= self._conversation.max_rounds:
            return False
        self._waiting = [call for call in calls if call["function"]["name"] not in functions]
        for call in calls:
            if call in self._waiting:
                continue
            value = _CANCELLED  # of what had not begun: a call without a result would be in the way of the next message
            if not self._is_cancelled:
                value = functions[call["function"]["name"]].call(call["function"]["arguments"])
                if inspect.isawaitable(value):
                    value = self._awaited(value)
            self._conversation.add_result(call, value)
        return bool(calls) and not self._waiting and not self._is_cancelled

    def _awaited(self, value: Awaitable[Any]) -> Any:
        """What an asynchronous tool gives: it runs on the event loop that waits for the answer, else on one of its own."""
        async def whole() -> Any:
            return await value

        if self._loop is None:
            with ThreadPoolExecutor(1) as pool:  # this thread may be running a loop itself
                return pool.submit(asyncio.run, whole()).result()
        self._pending = asyncio.run_coroutine_threadsafe(whole(), self._loop)
        try:
            if self._is_cancelled:  # before it could be told
                self._pending.cancel()
            return self._pending.result()
        except FutureCancelledError:
            if not self._is_cancelled:
                raise
            return _CANCELLED
        finally:
            self._pending = None

    def _poke(self) -> None:
        self._is_cancelled = True
        self._stream.cancel()
        pending = self._pending
        if pending is not None:
            pending.cancel()

    def _end(self) -> None:
        self._stream.close()
        self._take_report()

    def _result(self) -> Reply:
        if self._report is None:
            raise ClosedError("the answer ended without a report")
        message, finish = self._report.message, self._report.finish
        if finish == Finish.CALLS and self._is_cancelled:
            finish = Finish.CANCELLED
        waiting = self._waiting if finish == Finish.CALLS else []
        return Reply(message.get("content") or "", message.get("reasoning_content", ""), waiting, finish, self._report)
