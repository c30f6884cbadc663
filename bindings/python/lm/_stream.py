# SPDX-License-Identifier: MIT
"""Streams: what arrives bit by bit, for `for`, `async for`, `await` and plain calls alike.

A stream does its work in steps, each a blocking call that leaves the interpreter to others. `async for` runs the steps on the event
loop's executor; when the task is cancelled the step in progress is stopped, waited for, and the stream is closed. Threads that share a
stream take turns.
"""
from __future__ import annotations

import asyncio
import sys
from typing import Any, AsyncIterator, Generator, Generic, Iterator, Optional, TypeVar

from ._errors import StateError
from ._handle import Turn, Unpicklable, n_forks

T = TypeVar("T")
R = TypeVar("R")
S = TypeVar("S", bound="Stream[Any, Any]")


class Stream(Unpicklable, Generic[T, R]):
    """Items of type T, and when they have ended a result of type R."""

    def __init__(self) -> None:
        """Called last: from here on there is something to close."""
        self._step_turn = Turn("stream")
        self._is_closed = False
        self._n_forks = n_forks()
        self._loop: Optional[asyncio.AbstractEventLoop] = None  # that waits for a step

    # What a kind of stream has to say.

    def _step(self) -> Optional[T]:
        """The next item; None at the end."""
        raise NotImplementedError

    def _poke(self) -> None:
        """Stop the step in progress, from any thread."""
        raise NotImplementedError

    def _end(self) -> None:
        """Give back what the stream holds; called once."""
        raise NotImplementedError

    def _result(self) -> R:
        raise NotImplementedError

    # What follows from it.

    @property
    def _is_forked(self) -> bool:
        return self._n_forks != n_forks()

    def _next(self) -> Optional[T]:
        if self._is_forked:
            raise StateError(f"the {type(self).__name__} was begun before this process was forked: begin one in this process")
        with self._step_turn:
            if self._is_closed:
                return None
            try:
                item = self._step()
            except BaseException:
                self._close_locked()
                raise
            if item is None:
                self._close_locked()
            return item

    def _close_locked(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._end()

    def cancel(self) -> None:
        """Stop soon, from any thread: the stream ends with what there is."""
        if not self._is_forked:
            self._poke()

    def close(self) -> None:
        """Stop and give back what the stream holds. A step of another thread is waited for."""
        if self._is_forked:  # the stream goes on in the process that began it
            return
        while not self._step_turn.take(timeout=0.02):
            self._poke()
        try:
            if not self._is_closed:
                self._poke()
            self._close_locked()
        finally:
            self._step_turn.__exit__()

    def result(self) -> R:
        """Take what is left and give the result."""
        for _ in self:
            pass
        return self._result()

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        item = self._next()
        if item is None:
            raise StopIteration
        return item

    def __enter__(self: S) -> S:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if not getattr(self, "_is_closed", True) and not sys.is_finalizing():  # then a thread that has the turn never gives it back
            self.close()

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        self._loop = asyncio.get_running_loop()
        step = self._loop.run_in_executor(None, self._next)
        try:
            item = await asyncio.shield(step)
        except asyncio.CancelledError:
            while not step.done():
                self._poke()
                await asyncio.wait([step], timeout=0.02)
            step.exception()  # what it failed with is of no interest now
            self.close()
            raise
        finally:
            self._loop = None
        if item is None:
            raise StopAsyncIteration
        return item

    async def aclose(self) -> None:
        """close, without blocking the event loop."""
        await asyncio.get_running_loop().run_in_executor(None, self.close)

    async def __aenter__(self: S) -> S:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _collect(self) -> R:
        async for _ in self:
            pass
        return self._result()

    def __await__(self) -> Generator[Any, None, R]:
        return self._collect().__await__()
