# SPDX-License-Identifier: MIT
"""Model: the weights and vocabulary of a GGUF file, and the short ways to text, answers and vectors."""
from __future__ import annotations

import ctypes
import importlib.resources
import json
import os
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Callable, Iterator, List, Mapping, Optional, Sequence, Type, TypeVar, Union

from . import _raw as raw
from ._arguments import Buffer, file_name, instance
from ._adapter import Adapter
from ._context import Context, Output, Text, context_params
from ._conversation import Conversation
from ._errors import NotFoundError, StateError, check, failure_of, text_of
from ._generate import Generation
from ._grammar import Grammar, Schema
from ._handle import Resource, Unpicklable, bytes_of, made, sized
from ._interrupt import interruptible
from ._records import ModelInfo, Plan, TensorInfo, record
from ._runtime import Runtime
from ._sampler import Sampler, Sampling, choose_sampling
from ._session import ChatSession
from ._tools import Tool
from ._vocabulary import Vocabulary

if TYPE_CHECKING:
    from ._views import Floats

Load = raw.lm_load
Path = Union[str, "os.PathLike[str]"]
M = TypeVar("M", bound="Model")


class Metadata(Unpicklable, Mapping[str, Any]):
    """A model's metadata: texts as str, everything else as json reads it."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def __getitem__(self, key: str) -> Any:
        if not isinstance(key, str) or "\0" in key:
            raise KeyError(key)
        size, name = ctypes.c_size_t(), key.encode("utf-8", "surrogatepass")
        with self._model._use() as pointer:
            found = raw.lm_model_metadata_string(pointer, name, ctypes.byref(size))
            if found:
                return bytes_of(found, size.value).decode("utf-8", "replace")
            if raw.lm_model_metadata_json(pointer, name, 2**31, None, 0, ctypes.byref(size)) == raw.lm_status.NOT_FOUND:
                raise KeyError(key)
            out = ctypes.create_string_buffer(size.value + 1)
            check(raw.lm_model_metadata_json(pointer, name, 2**31, out, len(out), ctypes.byref(size)))
        return json.loads(out.value.decode("utf-8", "replace"))

    def __iter__(self) -> Iterator[str]:
        for i in range(len(self)):
            with self._model._use() as pointer:
                key = text_of(raw.lm_model_metadata_key(pointer, i))
            yield key

    def __repr__(self) -> str:
        return "<lm.Metadata (closed)>" if self._model.closed else f"<lm.Metadata of {len(self)} keys>"

    def __len__(self) -> int:
        with self._model._use() as pointer:
            return raw.lm_model_metadata_count(pointer)


class Model(Vocabulary):
    """A model, immutable and shared by threads and contexts.

        with lm.Model("m.gguf") as model:
            for piece in model.generate("Once upon a time", max_tokens=40):
                print(piece, end="")

    n_threads and cpu make a runtime for this model alone; runtime is one to share instead. The other parameters are those of
    lm_model_params (include/lm/model.h).
    """

    def __init__(self, path: Path, *, n_threads: int = 0, cpu: Optional[str] = None, runtime: Optional[Runtime] = None,
                 load: int = Load.MAP, prefetch: bool = True, lock: bool = False, vocab_only: bool = False) -> None:
        self._open(lambda *rest: raw.lm_model_open(file_name("path", path), *rest), n_threads, cpu, runtime, load, prefetch, lock, vocab_only)

    def _open(self, call: Callable[..., int], n_threads: int = 0, cpu: Optional[str] = None, runtime: Optional[Runtime] = None,
              load: int = Load.MAP, prefetch: bool = True, lock: bool = False, vocab_only: bool = False, keep: Any = None) -> None:
        if runtime is not None:
            instance("runtime", runtime, Runtime)
        if runtime is not None and (n_threads or cpu is not None):
            raise ValueError("a runtime given brings its own n_threads and cpu")
        params = raw.LM_MODEL_PARAMS_INIT()
        params.load, params.prefetch, params.lock, params.vocab_only = load, prefetch, lock, vocab_only
        with ExitStack() as stack:
            own = runtime or stack.enter_context(Runtime(n_threads, cpu=cpu))
            parent = own._hold()
            stack.callback(parent.release)
            params.runtime = parent.pointer
            pointer = interruptible(lambda _: made(call, raw.lm_model, ctypes.byref(params)))
            super().__init__(Resource(pointer, raw.lm_model_close, [parent], keep))
        self._idle: Optional[Context] = None  # of generate, for the next one
        self._idle_embedder: Optional[Context] = None
        self._idle_lock = threading.RLock()  # a stream may be collected, and give its context back, inside of these few lines

    @classmethod
    def from_fd(cls: Type[M], fd: int, **options: Any) -> M:
        """From an open file descriptor (a HANDLE on Windows), which stays the caller's. Options are those of Model."""
        model = cls.__new__(cls)
        model._open(lambda *rest: raw.lm_model_open_fd(fd, *rest), **options)
        return model

    @classmethod
    def from_bytes(cls: Type[M], data: Any, **options: Any) -> M:
        """From a file's bytes in memory (bytes, a mapped file, an array), which are used where they are and must not change. Options are
        those of Model."""
        model = cls.__new__(cls)
        kept = Buffer(data)
        model._open(lambda *rest: raw.lm_model_open_memory(kept.address, kept.n_bytes, *rest), keep=kept, **options)
        return model

    @classmethod
    def builtin(cls: Type[M], **options: Any) -> M:
        """The small model that comes with the package. Options are those of Model."""
        with importlib.resources.as_file(importlib.resources.files(__package__) / "box.gguf") as path:
            if not path.is_file():
                raise NotFoundError("this installation of liblm carries no built-in model")
            return cls(path, **options)

    @staticmethod
    def plan(path: Path, *, runtime: Optional[Runtime] = None, memory_bytes: int = 0, bytes_per_second: int = 0, **context: int) -> Plan:
        """What a model and a context would take, from the file's header alone. context: parameters of Context."""
        inner = context_params(**context)
        with ExitStack() as stack:
            pointer = stack.enter_context(runtime._use()) if runtime is not None else None
            params = raw.LM_PLAN_PARAMS_INIT()
            params.context, params.memory_bytes, params.bytes_per_second = ctypes.pointer(inner), memory_bytes, bytes_per_second
            if pointer is not None:
                params.runtime = pointer
            out, error = sized(raw.lm_plan), raw.lm_error()
            if raw.lm_model_plan(file_name("path", path), ctypes.byref(params), ctypes.byref(out), ctypes.byref(error)) != raw.lm_status.OK:
                raise failure_of(error)
        return record(Plan, out)

    def _about(self) -> Sequence[str]:
        try:
            info = self.info
        except StateError:  # closed meanwhile, or forked
            return ()
        return [repr(info.name), info.architecture, f"{info.n_params / 1e6:.3g}M parameters"]

    def close(self) -> None:
        """Give the model up. Contexts, samplers and what else was made from it stay usable and keep its weights."""
        if self.closed:
            return
        with self._idle_lock:
            idle, self._idle, self._idle_embedder = [self._idle, self._idle_embedder], None, None
        for context in idle:
            if context is not None:
                context.close()
        super().close()

    # ---- what it is ----

    @property
    def info(self) -> ModelInfo:
        """What the file's header says: architecture, name, sizes."""
        out = sized(raw.lm_model_info)
        with self._use() as pointer:
            check(raw.lm_model_get_info(pointer, ctypes.byref(out)))
            return record(ModelInfo, out)

    @property
    def metadata(self) -> Metadata:
        """The file's metadata, read when it is asked for."""
        return Metadata(self)

    def tensors(self) -> List[TensorInfo]:
        """All tensors, in file order."""
        found, out = [], sized(raw.lm_tensor_info)
        with self._use() as pointer:
            for i in range(raw.lm_model_tensor_count(pointer)):
                check(raw.lm_model_get_tensor(pointer, i, ctypes.byref(out)))
                found.append(record(TensorInfo, out))
        return found

    # ---- objects made from it ----

    def context(self, **params: int) -> Context:
        """A context; params are those of Context."""
        return Context(self, **params)

    def sampler(self, sampling: Optional[Sampling] = None) -> Sampler:
        """A sampler; None: as the model's file recommends."""
        return Sampler(self, sampling)

    def adapter(self, path: Path) -> Adapter:
        """A LoRA or control vector made for this model."""
        return Adapter(self, path)

    # ---- the short ways ----

    def generate(self, prompt: Text, *, max_tokens: Optional[int] = None, temperature: Optional[float] = None, top_k: Optional[int] = None,
                 top_p: Optional[float] = None, min_p: Optional[float] = None, seed: Optional[int] = None,
                 sampling: Optional[Sampling] = None, grammar: Optional[Grammar] = None, schema: Optional[Schema] = None) -> Generation:
        """Continue a prompt, given as text or tokens: a stream of pieces of text.

        max_tokens None goes on to the model's end or until the context is full. Without sampling and its shorthands the model's file
        says how to sample. grammar or schema (JSON Schema) constrain the text. The context belongs to the model and is kept for the next
        call, which evaluates only what differs; streams that run at once have a context each.
        """
        with self._idle_lock:
            context, self._idle = self._idle, None
        if context is None:
            context = Context(self)
        chosen = choose_sampling(sampling, temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p, seed=seed)
        kept = context
        try:
            return Generation(context, prompt, max_tokens=max_tokens, seq=0, sampler=None, sampling=chosen, grammar=grammar, schema=schema,
                              speculator=None, done=lambda: self._give_back(kept))
        except BaseException:
            self._give_back(context)
            raise

    def _give_back(self, context: Context) -> None:
        with self._idle_lock:
            if self._idle is None and not self.closed:
                self._idle = context
                return
        context.close()

    def chat(self, *, system: Optional[str] = None, messages: Sequence[Mapping[str, Any]] = (), tools: Sequence[Tool] = (),
             temperature: Optional[float] = None, top_k: Optional[int] = None, top_p: Optional[float] = None, min_p: Optional[float] = None,
             seed: Optional[int] = None, sampling: Optional[Sampling] = None, max_rounds: int = 8,
             variables: Optional[Mapping[str, Any]] = None, template: Optional[str] = None, family: Optional[str] = None,
             context: Optional[Context] = None, seq: int = 0, **params: int) -> Conversation:
        """A conversation that keeps its history. tools: Python functions, which are called, or JSON declarations; max_rounds bounds how
        often one answer may call. variables are the template's, such as {"enable_thinking": False}. context and seq say where to
        put it; without them it gets a context of its own, made with params."""
        if context is not None and params:
            raise ValueError(f"a context given brings its own {', '.join(params)}")
        own = Context(self, **params) if context is None else None
        try:
            session = ChatSession(own or context, seq=seq, family=family, template=template)  # type: ignore[arg-type]
            return Conversation(session, [own] if own else [], system=system, messages=messages, tools=tools,
                                sampling=choose_sampling(sampling, temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p, seed=seed),
                                max_rounds=max_rounds, variables=variables)
        except BaseException:
            if own is not None:
                own.close()
            raise

    def embed(self, texts: Sequence[Text]) -> Floats:
        """Vectors of length 1 of texts, [n_texts, width], pooled as the file says. The context is kept for the next call."""
        with self._idle_lock:
            context, self._idle_embedder = self._idle_embedder, None
        context = context or Context(self, outputs=Output.POOLED)
        try:
            return context.embed(texts)
        finally:
            with self._idle_lock:
                if self._idle_embedder is None and not self.closed:
                    self._idle_embedder, context = context, None
            if context is not None:
                context.close()
