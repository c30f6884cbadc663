# SPDX-License-Identifier: MIT
"""Floats of the library's memory without a copy: numpy arrays where numpy is installed, else memoryviews of the same shape.

A view holds on to the object whose memory it shows, so it can be read at any time, also after that object was closed. What it shows
changes with the next evaluation: copy what has to stay.
"""
from __future__ import annotations

import ctypes
import weakref
from typing import TYPE_CHECKING, Any, Callable, Sequence

from ._handle import Resource

if TYPE_CHECKING:
    import numpy

    Floats = numpy.ndarray[Any, numpy.dtype[numpy.float32]]


def shaped(array: Any, shape: Sequence[int], is_writable: bool = True) -> Floats:
    """A ctypes array of floats as floats of a shape, sharing its memory and keeping it alive."""
    view = memoryview(array).cast("B")
    view = view if is_writable else view.toreadonly()
    try:
        import numpy
    except ImportError:
        plain: Any = view.cast("f", list(shape)) if all(shape) else view.cast("f")
        return plain  # type: ignore[no-any-return]
    return numpy.frombuffer(view, dtype=numpy.float32).reshape(shape)


def borrowed(pointer: Any, count: int, owner: Resource, dropped: Callable[[], None]) -> Floats:
    """count floats of the owner's memory, which stays until the last view of them is gone; then dropped() is called."""
    array = (ctypes.c_float * count).from_address(ctypes.addressof(pointer.contents))
    owner.hold()
    end = weakref.finalize(array, _end, owner, dropped)
    setattr(end, "atexit", False)  # other exit handlers may still read the view
    return shaped(array, [count], is_writable=False)


def _end(owner: Resource, dropped: Callable[[], None]) -> None:
    dropped()
    owner.release()
