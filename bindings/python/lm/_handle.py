# SPDX-License-Identifier: MIT
"""Who owns what, and whose turn it is.

A Resource is a C object with a count of holders: the handle the user has, the objects made from it, calls in progress, views of its
memory. The C object is destroyed when the last holder lets go, so closing is immediate where nothing depends on the object and
never leaves a child with a dead parent. A Turn lets one thread at a time use an object that C wants used so; others wait, and a call
from inside of a call (a callback that uses its own context) is refused.

A fork copies these objects without the threads that work for them: in the child they are refused, and never destroyed.
"""
from __future__ import annotations

import ctypes
import os
import threading
import weakref
from contextlib import ExitStack, contextmanager
from typing import Any, Callable, Iterator, Optional, Sequence, Tuple, Type, TypeVar

from . import _raw as raw
from ._errors import BusyError, ClosedError, StateError, failure_of

Self = TypeVar("Self", bound="Handle")
S = TypeVar("S", bound=ctypes.Structure)


_n_forks = 0  # between the first process and this one


def n_forks() -> int:
    return _n_forks


def _forked() -> None:
    global _n_forks
    _n_forks += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


_thread = threading.local()


def act_for(caller: int) -> None:
    """Let the calling thread count as another one, which waits for it: its turns are this one's."""
    _thread.caller = caller


def _me() -> int:
    caller: int = getattr(_thread, "caller", 0)
    return caller or threading.get_ident()


class Unpicklable:
    """What belongs to one process: neither copied nor sent to another."""

    def __reduce__(self) -> str:
        raise TypeError(f"lm.{type(self).__name__} can be neither copied nor pickled: make one where it is needed")


class Resource(Unpicklable):
    """A C object, its parents and Python objects it refers to."""

    def __init__(self, pointer: Any, destroy: Callable[[Any], None], parents: Sequence[Resource] = (), keep: Any = None,
                 calls_back: bool = False) -> None:
        self.pointer = pointer
        #: Whether calls on it call Python functions.
        self.calls_back: bool = calls_back or any(parent.calls_back for parent in parents)
        self._destroy = destroy
        self._parents = tuple(parents)
        self._keep = keep
        self._lock = threading.RLock()  # a finalizer may run inside of these few lines
        self._count = 1
        self._gone = False
        self._n_forks = n_forks()
        for parent in self._parents:
            parent.hold()

    @property
    def is_forked(self) -> bool:
        """Whether it was made before this process was forked."""
        return self._n_forks != n_forks()

    def hold(self) -> None:
        with self._lock:
            if self._gone:
                raise ClosedError("the object is closed")
            self._count += 1

    def release(self) -> None:
        if self.is_forked:  # the lock, too, may be in the hand of a thread that is not here
            return
        is_last = False
        with self._lock:
            self._count -= 1
            if self._count == 0 and not self._gone:
                self._gone = is_last = True
        if is_last:
            self._destroy(self.pointer)
            self._keep = None
            for parent in self._parents:
                parent.release()


class Turn:
    """A lock that knows its owner."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._lock = threading.Lock()
        self._owner: Optional[int] = None

    @property
    def is_mine(self) -> bool:
        """Whether this thread has the turn, in a call further up."""
        return self._owner == _me()

    def refuse_within(self) -> None:
        """BusyError where this thread has the turn."""
        if self.is_mine:
            raise BusyError(f"the {self._what} is in use by the call that this one is made from")

    def take(self, timeout: float = -1) -> bool:
        """Wait for the turn, for so many seconds or without end; whether it was given."""
        self.refuse_within()
        if not self._lock.acquire(timeout=timeout):
            return False
        self._owner = _me()
        return True

    def __enter__(self) -> None:
        self.take()

    def __exit__(self, *_: object) -> None:
        self._owner = None
        self._lock.release()


class Handle(Unpicklable):
    """The base of all objects: close() or a with statement, closed, and an error for use after close."""

    def __init__(self, resource: Resource, turn: Optional[Turn] = None) -> None:
        self._resource = resource
        self._turn = turn
        self._finalizer = weakref.finalize(self, resource.release)

    @property
    def closed(self) -> bool:
        """Whether the object was closed."""
        return not (hasattr(self, "_finalizer") and self._finalizer.alive)  # making it may have failed

    def close(self) -> None:
        """Give the object up, after calls in progress. What was made from it stays usable. Closing twice is allowed."""
        if self.closed:
            return
        if self._turn is None or self._resource.is_forked:
            self._finalizer()
            return
        self._turn.refuse_within()
        self._stop()
        with self._turn:
            self._finalizer()

    def _stop(self) -> None:
        """End a call in progress early, before close waits for it."""

    def __enter__(self: Self) -> Self:
        if self.closed:
            raise ClosedError(f"the {type(self).__name__} is closed")
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        name = f"lm.{type(self).__name__}"
        return f"<{name} (closed)>" if self.closed else f"<{' '.join([name, *self._about()])}>"

    def _about(self) -> Sequence[str]:
        """What repr says, without waiting for anything."""
        return ()

    def _hold(self) -> Resource:
        """The resource, held once more; ClosedError after close."""
        if not self.closed:
            self._refuse_forked()
            try:
                self._resource.hold()
                return self._resource
            except ClosedError:
                pass  # closed by another thread in between
        raise ClosedError(f"the {type(self).__name__} is closed")

    def _refuse_forked(self) -> None:
        if self._resource.is_forked:
            raise StateError(f"the {type(self).__name__} was made before this process was forked: open a model in this process")

    @contextmanager
    def _use(self) -> Iterator[Any]:
        """The pointer, for calls that any number of threads may make at once."""
        resource = self._hold()
        try:
            yield resource.pointer
        finally:
            resource.release()


@contextmanager
def using(*handles: Handle) -> Iterator[Tuple[Any, ...]]:
    """The pointers of handles, each in its turn. Turns are taken in one order everywhere, so no two threads wait for each other."""
    for handle in handles:
        if not handle.closed:
            handle._refuse_forked()  # before waiting for a turn that nobody gives back
    turns = {id(h._turn): h._turn for h in handles if h._turn is not None}
    with ExitStack() as stack:
        for key in sorted(turns):
            stack.enter_context(turns[key])
        yield tuple([stack.enter_context(h._use()) for h in handles])


def sized(kind: Type[S]) -> S:
    """An empty struct that says how large it is."""
    made = kind()
    setattr(made, "struct_size", ctypes.sizeof(kind))
    return made


def chars(data: Optional[bytes]) -> Any:
    """Bytes for a pointer to char inside of a struct, which keeps them alive; None for None."""
    return None if data is None else ctypes.cast(ctypes.create_string_buffer(data), ctypes.POINTER(ctypes.c_char))


def bytes_of(pointer: Any, size: int) -> bytes:
    return ctypes.string_at(pointer, size) if size else b""


def made(call: Callable[..., int], kind: Type[ctypes.Structure], *arguments: Any) -> Any:
    """Call a function whose last parameters are `T **out, lm_error *error`; the pointer it made, or an exception."""
    out, error = ctypes.POINTER(kind)(), raw.lm_error()
    if call(*arguments, ctypes.byref(out), ctypes.byref(error)) != raw.lm_status.OK:
        raise failure_of(error)
    return out
