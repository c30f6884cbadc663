# SPDX-License-Identifier: MIT
"""What callers give, looked at before C sees it.

ctypes cuts a number to the width of its C type and C ends a text at its first NUL, both without a word. So the raw layer's structs and
functions take whole numbers in the range of their type only, and texts without NUL where C has no other end of them; names in errors
are those of include/lm. The handles above ask here for texts, lists and objects.
"""
from __future__ import annotations

import array
import ctypes
import json
import operator
import os
import weakref
from typing import Any, Dict, Mapping, Optional, Sequence, Tuple, Type, TypeVar

T = TypeVar("T")
_SIGNED = (ctypes.c_int8, ctypes.c_int16, ctypes.c_int32, ctypes.c_int64, ctypes.c_ssize_t)
_UNSIGNED = (ctypes.c_uint8, ctypes.c_uint16, ctypes.c_uint32, ctypes.c_uint64, ctypes.c_size_t)
RANGES: Dict[Any, Tuple[int, int]] = {kind: (0, 256**ctypes.sizeof(kind) - 1) for kind in _UNSIGNED}
RANGES.update({kind: (-(256**ctypes.sizeof(kind)) // 2, 256**ctypes.sizeof(kind) // 2 - 1) for kind in _SIGNED})
TEXT = "text"  # in place of a type: bytes that end at a NUL


def whole(name: str, value: Any, low: int = 0, high: int = 2**31 - 1) -> int:
    """A whole number in [low, high]."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: int is needed, not {type(value).__name__}") from None
    if not low <= number <= high:
        from ._errors import RangeError

        raise RangeError(f"{name}: {number} is not in [{low}, {high}]")
    return number


def c_text(name: str, value: Any) -> bytes:
    """UTF-8 for where C looks for the end of a text."""
    return _without_nul(name, utf8(name, value))


def _without_nul(name: str, data: Any) -> bytes:
    if isinstance(data, bytes) and b"\0" in data:
        from ._errors import ArgumentError

        raise ArgumentError(f"{name}: a NUL inside")
    return data  # type: ignore[no-any-return]


def utf8(name: str, text: Any) -> bytes:
    """UTF-8 of a text. Surrogates that are a pair become their character, others U+FFFD."""
    try:
        return instance(name, text, str).encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()  # type: ignore[no-any-return]


def source(name: str, text: Any) -> bytes:
    """UTF-8 of a grammar, schema or template, which C refuses with the place where surrogates are in it."""
    return instance(name, text, str).encode("utf-8", "surrogatepass")


def file_name(name: str, path: Any) -> bytes:
    """A path as the operating system takes it."""
    if not isinstance(path, (str, bytes, os.PathLike)):
        raise TypeError(f"{name}: str or a path is needed, not {type(path).__name__}")
    return os.fsencode(path)


def json_bytes(name: str, value: Any) -> bytes:
    """JSON text as it is, anything else written as JSON."""
    if not isinstance(value, str):
        try:
            value = json.dumps(value, ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{name}: {error}") from None
    return source(name, value) if name == "schema" else utf8(name, value)


def instance(name: str, value: Any, kind: Type[T]) -> T:
    """The value, which must be of a type."""
    if not isinstance(value, kind):
        wanted = "Model" if kind.__name__ == "Vocabulary" else kind.__name__
        raise TypeError(f"{name}: {'lm.' if kind.__module__.startswith('lm') else ''}{wanted} is needed, not {type(value).__name__}")
    return value


def dictionary(name: str, value: Any) -> Mapping[Any, Any]:
    """The value, which must be a dictionary or something like it."""
    if not isinstance(value, Mapping):
        raise TypeError(f"{name}: dict is needed, not {type(value).__name__}")
    return value


def listed(name: str, values: Any) -> Any:
    """The value, which must be a list or something like it: no text, no bytes, no dictionary."""
    if isinstance(values, (str, bytes, bytearray)) or not hasattr(values, "__len__") or hasattr(values, "keys"):
        raise TypeError(f"{name}: list is needed, not {type(values).__name__}")
    return values


def token_array(tokens: Sequence[int], name: str = "tokens") -> Any:
    """Tokens as an array of C."""
    listed(name, tokens)
    try:
        packed = array.array("i", tokens)
    except (TypeError, OverflowError):
        for i, token in enumerate(tokens):
            whole(f"{name}[{i}]", token, -2**31)
        raise
    return (ctypes.c_int32 * len(packed))(*packed)


class Buffer:
    """The memory of an object, read where it is; the object is held, and cannot move, until this is gone."""

    class _View(ctypes.Structure):
        """Py_buffer, as CPython's stable interface has it."""

        _fields_ = [("buf", ctypes.c_void_p), ("obj", ctypes.py_object), ("len", ctypes.c_ssize_t), ("itemsize", ctypes.c_ssize_t),
                    ("readonly", ctypes.c_int), ("ndim", ctypes.c_int), ("format", ctypes.c_char_p), ("shape", ctypes.c_void_p),
                    ("strides", ctypes.c_void_p), ("suboffsets", ctypes.c_void_p), ("internal", ctypes.c_void_p)]

    def __init__(self, data: Any) -> None:
        self._view = Buffer._View()
        ctypes.pythonapi.PyObject_GetBuffer(ctypes.py_object(data), ctypes.byref(self._view), 0)
        self.address: int = self._view.buf or 0
        self.n_bytes: int = self._view.len
        end = weakref.finalize(self, ctypes.pythonapi.PyBuffer_Release, ctypes.byref(self._view))
        setattr(end, "atexit", False)  # a thread may still be reading


# ---- what the raw layer is made with ----


_members: Dict[Any, Dict[str, Optional[Tuple[int, int]]]] = {}  # of each kind of struct the range of each member that is a whole number


def _set(struct: Any, name: str, value: Any) -> Any:
    kind = type(struct)
    if kind not in _members:
        _members[kind] = {member: RANGES.get(declared) for member, declared in kind._fields_}
    allowed = _members[kind][name]
    return value if allowed is None else whole(name, value, *allowed)


class Structure(ctypes.Structure):
    """A struct whose members are checked when they are set."""

    def __setattr__(self, name: str, value: Any) -> None:
        value = _set(self, name, value)
        try:
            super().__setattr__(name, value)
        except TypeError as error:
            raise TypeError(f"{name}: {error}") from None


class Union(ctypes.Union):
    """The same for a union."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, _set(self, name, value))


def checked(function: Any, checks: Dict[int, Tuple[str, Any]]) -> Any:
    """A function of C whose arguments are checked first: place -> (name, type or TEXT)."""
    if not checks:
        return function
    ranges = [(place, name, RANGES.get(kind)) for place, (name, kind) in checks.items()]

    def call(*arguments: Any) -> Any:
        given = list(arguments)
        for place, name, allowed in ranges:
            given[place] = _without_nul(name, given[place]) if allowed is None else whole(name, given[place], *allowed)
        return function(*given)

    call.__name__ = function.__name__
    setattr(call, "argtypes", function.argtypes)
    return call
