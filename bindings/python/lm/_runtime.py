# SPDX-License-Identifier: MIT
"""Runtime: threads, the instruction set, the log, backends."""
from __future__ import annotations

import ctypes
import logging
import sys
from typing import Any, Callable, List, Optional, Sequence, Set

from . import _raw as raw
from ._arguments import c_text, whole
from ._errors import check, text_of
from ._handle import Handle, Resource, chars, made, sized
from ._interrupt import interruptible
from ._records import Machine, record

logger = logging.getLogger("lm")
_LEVELS = {raw.lm_log_level.ERROR: logging.ERROR, raw.lm_log_level.WARNING: logging.WARNING, raw.lm_log_level.INFO: logging.INFO,
           raw.lm_log_level.DEBUG: logging.DEBUG}
_Write = dict(raw.lm_log._fields_)["write"]  # type: ignore[arg-type]

Executor = Callable[[int, Callable[[int], None]], None]


def _write(_user: Any, level: int, message: Any) -> None:
    logger.log(_LEVELS.get(raw.lm_log_level(level), logging.INFO), "%s", text_of(message))


#: Everything the library says goes to logging.getLogger("lm"). The function lives as long as the module.
LOG = raw.lm_log(None, _Write(_write))


def _parallel_for(executor: Executor) -> Any:
    """The C function that hands tasks to a Python one. Each task runs once, whatever the executor does."""

    def call(_user: Any, n: int, task: Any, argument: Any) -> None:
        done: Set[int] = set()

        def run(i: int) -> None:
            done.add(i)
            task(argument, i)

        try:
            executor(n, run)
        except BaseException:
            logger.error("the executor raised; its other tasks run in the calling thread", exc_info=sys.exc_info())
        for i in range(n):
            if i not in done:
                run(i)

    return dict(raw.lm_executor._fields_)["parallel_for"](call)  # type: ignore[arg-type]


class Runtime(Handle):
    """What the library needs from its host; models that are given none make one of their own.

    n_threads   the calling one included; 0: one per performance core
    cpu         the highest instruction set to use: "generic", "avx2", ... "i8mm"; None: the best
    executor    executor(n, task) calls task(i) once for each i below n and returns when all have returned; None: own threads
    backends    addresses of lm_backend tables that C code made, in order of preference; they must live as long as the runtime
    """

    def __init__(self, n_threads: int = 0, *, cpu: Optional[str] = None, executor: Optional[Executor] = None,
                 backends: Sequence[int] = ()) -> None:
        params = raw.LM_RUNTIME_PARAMS_INIT()
        keep: List[Any] = []
        params.n_threads = n_threads
        params.cpu = chars(None if cpu is None else c_text("cpu", cpu))
        params.log = ctypes.pointer(LOG)
        if executor is not None:
            if not callable(executor):
                raise TypeError(f"executor: function is needed, not {type(executor).__name__}")
            keep.append(_parallel_for(executor))
            params.executor = ctypes.pointer(raw.lm_executor(None, keep[0]))
        if backends:
            addresses = [ctypes.c_void_p(whole("backends", address, high=2**64 - 1)) for address in backends]
            tables = [ctypes.cast(address, ctypes.POINTER(raw.lm_backend)) for address in addresses]
            params.backends = (ctypes.POINTER(raw.lm_backend) * len(tables))(*tables)
            params.n_backends = len(tables)
        pointer = made(raw.lm_runtime_create, raw.lm_runtime, ctypes.byref(params))
        super().__init__(Resource(pointer, raw.lm_runtime_destroy, keep=keep, calls_back=executor is not None))

    @property
    def threads(self) -> int:
        """Threads of a batch at most."""
        with self._use() as pointer:
            return raw.lm_runtime_threads(pointer)

    @property
    def cpu(self) -> str:
        """The instruction set in use."""
        with self._use() as pointer:
            return text_of(raw.lm_runtime_cpu(pointer))

    def measure(self) -> Machine:
        """What the machine can do at most: takes half a second and 512 MiB, which are given back."""
        out = sized(raw.lm_machine)
        with self._use() as pointer:
            check(interruptible(lambda _: raw.lm_runtime_measure(pointer, ctypes.byref(out))))
        return record(Machine, out)

