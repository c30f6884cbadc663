# SPDX-License-Identifier: MIT
"""Long calls that an interrupt (Ctrl-C) stops at once.

Python sees an interrupt in the main thread only, and only between its own instructions: one that comes during a call into C waits for
the end of the call or, worse, is raised where C calls back, and lost there. So the main thread has long calls, and those that may call
back, made by a thread of their own, and waits. An interrupt then stops the call, and is raised when the call has ended.
"""
from __future__ import annotations

import _thread
import queue
import threading
from typing import Any, Callable, List, Optional, TypeVar

from ._handle import act_for

T = TypeVar("T")
Ask = Callable[[Callable[[], Any]], Any]


class _Question:
    """A function that the waiting thread shall call."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self.function = function
        self.is_begun = False
        self.answer: Any = None
        self.error: Optional[BaseException] = None
        self.done = threading.Event()

    def work(self) -> None:
        if not self.is_begun:
            self.is_begun = True
            try:
                self.answer = self.function()
            except BaseException as error:
                self.error = error
        self.done.set()


class _Caller:
    """The call in its thread. What it says is kept, not handed over: an interrupt may fall anywhere in the waiting thread."""

    def __init__(self, call: Callable[[Ask], Any]) -> None:
        self.call = call
        self.waiting = threading.get_ident()
        self.wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.lock = threading.Lock()
        self.is_begun = False
        self.is_called_off = False
        self.questions: List[_Question] = []
        self.n_answered = 0
        self.result: Any = None
        self.error: Optional[BaseException] = None
        self.is_done = False

    # In the thread.

    def run(self) -> None:
        with self.lock:
            if self.is_called_off:
                return
            self.is_begun = True
        act_for(self.waiting)
        try:
            self.result = self.call(self.ask)
        except BaseException as error:
            self.error = error
        self.is_done = True
        self.wake.put(None)

    def ask(self, function: Callable[[], Any]) -> Any:
        question = _Question(function)
        self.questions.append(question)
        self.wake.put(None)
        question.done.wait()
        if question.error is not None:
            raise question.error
        return question.answer

    # In the waiting thread.

    def call_off(self) -> bool:
        """Whether it will never begin."""
        with self.lock:
            self.is_called_off = not self.is_begun
            return self.is_called_off

    def wait(self, stop: Optional[Callable[[], None]]) -> None:
        """Answer until the call has ended, and stop it until then if it shall be stopped: it may not have reached C yet."""
        while not self.is_done:
            if stop is not None:
                stop()
            while self.n_answered < len(self.questions):
                self.questions[self.n_answered].work()
                self.n_answered += 1
            try:
                self.wake.get(timeout=0.5 if stop is None else 0.02)
            except queue.Empty:
                pass


def interruptible(call: Callable[[Ask], T], stop: Callable[[], None] = lambda: None) -> T:
    """call(ask), where ask(function) calls a function in this thread; stop() ends the call early, and does nothing before its beginning."""
    if threading.current_thread() is not threading.main_thread():
        return call(lambda function: function())
    caller = _Caller(call)
    interrupt: Optional[BaseException] = None
    try:
        _thread.start_new_thread(caller.run, ())  # Thread.start would wait for its beginning, and could be interrupted there
        caller.wait(None)
    except BaseException as error:
        if caller.call_off():
            if isinstance(error, RuntimeError):  # no thread can be made, as at the end of the interpreter
                return call(lambda function: function())
            raise
        interrupt = error
    while not caller.is_done:
        try:
            caller.wait(stop)
        except BaseException:
            pass  # one interrupt is enough
    try:
        if interrupt is not None:
            raise interrupt
        if caller.error is not None:
            raise caller.error
        result: T = caller.result
        return result
    finally:
        del caller, interrupt  # no cycle with the traceback of what was raised
