# SPDX-License-Identifier: MIT
"""Statuses as exceptions: one class per status, all of them an lm.Error, most of them also what Python calls such a thing."""
from __future__ import annotations

import ctypes
from typing import Any, Dict, Optional, Type

from . import _raw as raw

Status = raw.lm_status


class Error(Exception):
    """A call that failed. message names the thing; line and offset say where in a text or file, None where there is no place."""

    status: Status = Status.OK

    def __init__(self, message: str, status: Optional[int] = None, line: Optional[int] = None, offset: Optional[int] = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.offset = offset
        if status is not None:
            self.status = Status(status)


class OutOfMemoryError(Error, MemoryError):
    """The allocator gave nothing, or a byte budget is exhausted."""

    status = Status.MEMORY


class ArgumentError(Error, ValueError):
    """A parameter is not allowed."""

    status = Status.ARGUMENT


class RangeError(Error, ValueError):
    """A number is outside of its range: a token, a sequence, a position."""

    status = Status.RANGE


class FileError(Error, OSError):
    """The operating system refused to open, read, map or write."""

    status = Status.IO


class FormatError(Error, ValueError):
    """A file, template, grammar, schema or JSON text is malformed."""

    status = Status.FORMAT


class UnsupportedError(Error):
    """Well formed, but not implemented: an architecture, a tensor type, a keyword."""

    status = Status.UNSUPPORTED


class FullError(Error):
    """A fixed capacity is used up, such as the context."""

    status = Status.FULL


class CancelledError(Error):
    """cancel() stopped the call."""

    status = Status.CANCELLED


class StateError(Error, RuntimeError):
    """The call does not fit the object's state."""

    status = Status.STATE


class ClosedError(StateError):
    """Use after close."""


class BusyError(StateError):
    """A call from inside of a call on the same object, or one that has to wait for something this thread holds itself."""


class NotFoundError(Error, LookupError):
    """No such file, key, tensor or name."""

    status = Status.NOT_FOUND


class LimitError(Error):
    """An input exceeds a documented bound."""

    status = Status.LIMIT


class MismatchError(Error):
    """Two things do not belong together, such as an adapter and a model."""

    status = Status.MISMATCH


class DeviceError(Error):
    """A backend failed."""

    status = Status.DEVICE


class RaisedError(Error):
    """A chat template called raise_exception; message is its text."""

    status = Status.RAISED


for _kind in [value for value in vars().values() if isinstance(value, type) and issubclass(value, Error)]:
    _kind.__module__ = "lm"  # where tracebacks say it is to be found

_CLASSES: Dict[int, Type[Error]] = {
    int(c.status): c
    for c in (OutOfMemoryError, ArgumentError, RangeError, FileError, FormatError, UnsupportedError, FullError, CancelledError, StateError,
              NotFoundError, LimitError, MismatchError, DeviceError, RaisedError)
}


def text_of(pointer: Any) -> str:
    """The text of a NUL-terminated C string, "" for NULL."""
    value = ctypes.cast(pointer, ctypes.c_char_p).value
    return (value or b"").decode("utf-8", "replace")


def failure(status: int, message: str = "", line: int = 0, offset: Optional[int] = None) -> Error:
    """The exception of a status; its name stands in for a message that is missing."""
    name = text_of(raw.lm_status_name(status))
    return _CLASSES.get(status, Error)(message or name, None if status in _CLASSES else status, line or None, offset)


def failure_of(error: raw.lm_error) -> Error:
    """The exception of an error record."""
    offset = None if error.offset == 2**64 - 1 else error.offset
    return failure(error.status, error.message.decode("utf-8", "replace"), error.line, offset)


def check(status: int, message: str = "") -> None:
    """Raise what a status says, unless it is OK."""
    if status != Status.OK:
        raise failure(status, message)
