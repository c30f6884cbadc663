# SPDX-License-Identifier: MIT
"""Context: evaluating tokens."""
from __future__ import annotations

import ctypes
import os
from collections import defaultdict, deque
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Callable, DefaultDict, Deque, List, NamedTuple, Optional, Sequence, Union

from . import _raw as raw
from ._arguments import file_name, instance, listed, token_array, whole
from ._adapter import Adapter, AdapterUse
from ._errors import ClosedError, StateError, check, text_of
from ._handle import Handle, Resource, Turn, made, sized, using
from ._interrupt import interruptible
from ._records import ContextParams, Memory, SyncInfo, record
from ._sampler import Sampler, Sampling, choose_sampling
from ._views import borrowed, shaped
from ._vocabulary import Vocabulary

if TYPE_CHECKING:
    from ._generate import Generation
    from ._grammar import Grammar, Schema
    from ._speculator import Speculator
    from ._views import Floats

Logits = raw.lm_logits
Output = raw.lm_output
Pooling = raw.lm_pooling
DType = raw.lm_dtype
SyncReason = raw.lm_sync_reason
Text = Union[str, Sequence[int]]


class BatchItem(NamedTuple):
    """Tokens to append to one sequence, and which of them give rows of logits."""

    seq: int
    tokens: Sequence[int]
    logits: int = Logits.LAST


class Context(Handle):
    """The cache, its sequences and the logits of the last evaluation. Threads take turns; cancel() alone never waits.

    The parameters are those of lm_context_params (include/lm/context.h). The context keeps its model alive.
    """

    def __init__(self, model: Vocabulary, *, n_ctx: int = 0, n_seqs: int = 1, n_batch: int = 0, n_outputs: int = 0,
                 k_type: int = DType.F16, v_type: int = DType.F16, n_threads: int = 0, n_checkpoints: int = -1, cache_bytes: int = 0,
                 outputs: int = 0, pooling: int = Pooling.DEFAULT, n_draft: int = 0) -> None:
        params = context_params(n_ctx=n_ctx, n_seqs=n_seqs, n_batch=n_batch, n_outputs=n_outputs, k_type=k_type, v_type=v_type,
                                n_threads=n_threads, n_checkpoints=n_checkpoints, cache_bytes=cache_bytes, outputs=outputs,
                                pooling=pooling, n_draft=n_draft)
        parent = instance("model", model, Vocabulary)._hold()
        try:
            pointer = made(raw.lm_context_open, raw.lm_context, parent.pointer, ctypes.byref(params))
            super().__init__(Resource(pointer, raw.lm_context_close, [parent]), Turn("context"))
        finally:
            parent.release()
        self._vocabulary = model.share()
        self._views: Deque[None] = deque()  # as many as there are views of this context's memory, which any thread may drop
        self._changes: DefaultDict[int, int] = defaultdict(int)  # of each sequence, by anybody

    @property
    def params(self) -> ContextParams:
        """The parameters in force, defaults filled in."""
        out = sized(raw.lm_context_params)
        with using(self) as (pointer,):
            check(raw.lm_context_get_params(pointer, ctypes.byref(out)))
        return record(ContextParams, out)

    @property
    def memory(self) -> Memory:
        """Bytes in use, exact."""
        out = sized(raw.lm_memory)
        with using(self) as (pointer,):
            check(raw.lm_context_memory(pointer, ctypes.byref(out)))
        return record(Memory, out)

    def cancel(self) -> None:
        """Stop the evaluation in progress, from any thread: it raises CancelledError. Without one, nothing happens."""
        with self._use() as pointer:
            raw.lm_context_cancel(pointer)

    def _stop(self) -> None:
        try:
            self.cancel()
        except ClosedError:
            pass  # another thread was faster

    # ---- evaluating ----

    def eval(self, tokens: Sequence[int]) -> None:
        """Append tokens to sequence 0; logits() is then the row of the last one."""
        array = token_array(tokens)
        with using(self) as (pointer,):
            self._changes[0] += 1
            self._evaluate(pointer, len(array), lambda: raw.lm_context_eval(pointer, array, len(array)))

    def eval_batch(self, items: Sequence[BatchItem]) -> None:
        """Append tokens to several sequences at once."""
        with using(self) as (pointer,):
            self._eval_batch(pointer, items)

    def _eval_batch(self, pointer: Any, items: Sequence[BatchItem]) -> None:
        places = (raw.lm_batch_item * len(listed("items", items)))()
        for place, item in zip(places, items):
            seq, tokens, logits = BatchItem(*instance("items", item, tuple))
            place.seq, place.logits, place.tokens, place.n_tokens = seq, logits, token_array(tokens), len(tokens)
        for place in places:
            self._changes[place.seq] += 1
        self._evaluate(pointer, sum(place.n_tokens for place in places), lambda: raw.lm_context_eval_batch(pointer, places, len(places)))

    def _append(self, pointer: Any, seq: int, token: int) -> None:
        self._eval_batch(pointer, [BatchItem(seq, [token])])

    def sync(self, tokens: Sequence[int], seq: int = 0) -> SyncInfo:
        """Make a sequence exactly these tokens, evaluating only what is not known yet; logits() is then the row of the last one."""
        with using(self) as (pointer,):
            return self._sync(pointer, tokens, seq)

    def _sync(self, pointer: Any, tokens: Sequence[int], seq: int) -> SyncInfo:
        array, info = token_array(tokens), sized(raw.lm_sync_info)
        self._changes[seq] += 1
        self._evaluate(pointer, len(array), lambda: raw.lm_context_sync(pointer, seq, array, len(array), ctypes.byref(info)))
        return record(SyncInfo, info)

    def mark(self, position: int, seq: int = 0) -> None:
        """Keep a checkpoint when evaluation of the sequence passes a position, such as the start of a message."""
        with using(self) as (pointer,):
            self._check(pointer, raw.lm_context_mark(pointer, seq, position))

    def sample(self, sampler: Sampler) -> int:
        """Choose the next token from the last row of logits and enter it into the sampler's histories."""
        with using(self, instance("sampler", sampler, Sampler)) as (pointer, chooser):
            return self._sample(pointer, chooser)

    def _sample(self, pointer: Any, chooser: Any) -> int:
        token = ctypes.c_int32()
        self._check(pointer, raw.lm_sample(pointer, chooser, ctypes.byref(token)))
        return token.value

    def sample_forced(self, sampler: Sampler, capacity: int = 64) -> List[int]:
        """The tokens that must come now because the sampler's grammar leaves no choice, entered into its histories; often none. Call it
        before the last token chosen is evaluated, and evaluate them together with that one."""
        out, n = (ctypes.c_int32 * whole("capacity", capacity))(), ctypes.c_size_t()
        with using(self, instance("sampler", sampler, Sampler)) as (pointer, chooser):
            self._check(pointer, raw.lm_sample_forced(pointer, chooser, out, capacity, ctypes.byref(n)))
        return out[:n.value]

    # ---- results, without a copy ----

    @property
    def n_logits(self) -> int:
        """Rows of logits of the last evaluation."""
        with using(self) as (pointer,):
            return raw.lm_context_logits_count(pointer)

    def logits(self, row: Optional[int] = None) -> Floats:
        """A row of logits of the last evaluation, the last one by default: a read-only view of [n_vocab] floats that shows other numbers
        after the next evaluation."""
        with using(self) as (pointer,):
            found = raw.lm_context_logits(pointer) if row is None else raw.lm_context_logits_row(pointer, row)
            return self._view(found, self._vocabulary.n_vocab, "logits")

    def draft_logits(self, row: int = 0) -> Floats:
        """What the model's draft block predicts for the token after the next, where Output.DRAFT was asked: a view like that of logits()."""
        with using(self) as (pointer,):
            return self._view(raw.lm_context_draft_logits(pointer, row), self._vocabulary.n_vocab, "draft logits")

    def hidden(self, row: int = 0) -> Floats:
        """A row of hidden states, where Output.HIDDEN was asked: a view like that of logits()."""
        with using(self) as (pointer,):
            return self._view(raw.lm_context_hidden(pointer, row), self._vocabulary.n_embd, "hidden states")

    def pooled(self, item: int = 0) -> Floats:
        """The pooled row of an item of the last evaluation, not normalised: a view like that of logits()."""
        with using(self) as (pointer,):
            return self._view(raw.lm_context_pooled(pointer, item), raw.lm_context_pooled_width(pointer), "pooled values")

    def _view(self, pointer: Any, count: int, what: str) -> Floats:
        if not pointer:
            raise StateError(f"no such row of {what}: nothing was evaluated, or the context does not keep them")
        self._views.append(None)
        return borrowed(pointer, count, self._resource, self._views.pop)

    def embed(self, texts: Sequence[Text], *, normalise: bool = True) -> Floats:
        """Vectors of texts, [n_texts, width], with the context's pooling; with Pooling.NONE a row per token, text after text. Texts may be
        given as tokens. Empties all sequences."""
        if isinstance(texts, str):
            raise TypeError("embed takes a list of texts; for one, embed([text])[0]")
        places = (raw.lm_embed_text * len(listed("texts", texts)))()
        rows = 0
        for place, text in zip(places, texts):
            tokens = self._vocabulary.tokenize(text) if isinstance(text, str) else text
            place.tokens, place.n_tokens = token_array(tokens, "texts"), len(tokens)
            rows += len(tokens)
        with using(self) as (pointer,):
            width = raw.lm_embed_width(pointer)
            out = (ctypes.c_float * max(rows * width, 1))()
            for seq in list(self._changes):
                self._changes[seq] += 1
            flags = 0 if normalise else int(raw.LM_EMBED_RAW)
            self._evaluate(pointer, rows, lambda: raw.lm_embed(pointer, places, len(texts), flags, out, len(out)))
            params = raw.lm_context_params(ctypes.sizeof(raw.lm_context_params))
            check(raw.lm_context_get_params(pointer, ctypes.byref(params)))
        if params.pooling != Pooling.NONE:
            rows = len(texts)
        return shaped((ctypes.c_float * (rows * width)).from_buffer(out), [rows, width])

    # ---- sequences ----

    def length(self, seq: int = 0) -> int:
        """Tokens in a sequence, -1 for a number that is no sequence."""
        with using(self) as (pointer,):
            return raw.lm_seq_length(pointer, seq)

    def tokens(self, seq: int = 0) -> List[int]:
        """A copy of a sequence's tokens."""
        with using(self) as (pointer,):
            n = raw.lm_seq_length(pointer, seq)
            return list(raw.lm_seq_tokens(pointer, seq)[:n]) if n > 0 else []

    def fork(self, source: int, target: int) -> None:
        """Make target a copy of source; memory is shared until one of them grows."""
        with using(self) as (pointer,):
            self._changes[target] += 1
            self._check(pointer, raw.lm_seq_fork(pointer, whole("source", source), whole("target", target)))

    def trim(self, n_tokens: int, seq: int = 0) -> None:
        """Drop the tokens from position n_tokens on."""
        with using(self) as (pointer,):
            self._changes[seq] += 1
            self._check(pointer, raw.lm_seq_trim(pointer, seq, n_tokens))

    def clear(self, seq: int = 0) -> None:
        """Empty a sequence. Its finished pages stay in the prefix cache while there is room."""
        with using(self) as (pointer,):
            self._changes[seq] += 1
            self._check(pointer, raw.lm_seq_close(pointer, seq))

    def save(self, path: Union[str, os.PathLike[str]], seq: int = 0) -> None:
        """Write a sequence to a file."""
        with using(self) as (pointer,):
            self._check(pointer, raw.lm_seq_save(pointer, seq, file_name("path", path)))

    def restore(self, path: Union[str, os.PathLike[str]], seq: int = 0) -> None:
        """Replace a sequence by one that was saved."""
        with using(self) as (pointer,):
            self._changes[seq] += 1
            self._check(pointer, raw.lm_seq_restore(pointer, seq, file_name("path", path)))

    def set_adapters(self, uses: Sequence[Union[Adapter, AdapterUse]]) -> None:
        """Use these adapters and no others from now on. Every sequence must be empty, and no view of the context's memory may be
        alive: that memory is replaced."""
        users = [use if isinstance(use, AdapterUse) else AdapterUse(instance("uses", use, Adapter)) for use in listed("uses", uses)]
        places = (raw.lm_adapter_use * len(users))()
        with using(self) as (pointer,), ExitStack() as held:
            if self._views:
                raise StateError(f"{len(self._views)} views of the context's logits or vectors are alive: copy them and let them go")
            for place, use in zip(places, users):
                place.adapter = held.enter_context(use.adapter._use())
                place.scale, place.first_layer, place.last_layer = use.scale, use.first_layer, use.last_layer
            self._check(pointer, raw.lm_context_set_adapters(pointer, places, len(places)))

    # ---- text ----

    def generate(self, prompt: Text, *, max_tokens: Optional[int] = None, seq: int = 0, sampler: Optional[Sampler] = None,
                 temperature: Optional[float] = None, top_k: Optional[int] = None, top_p: Optional[float] = None,
                 min_p: Optional[float] = None, seed: Optional[int] = None, sampling: Optional[Sampling] = None,
                 grammar: Optional[Grammar] = None, schema: Optional[Schema] = None, speculator: Optional[Speculator] = None) -> Generation:
        """Continue a prompt on a sequence, which is made exactly the prompt first. See Model.generate."""
        from ._generate import Generation

        chosen = choose_sampling(sampling, temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p, seed=seed)
        return Generation(self, prompt, max_tokens=max_tokens, seq=seq, sampler=sampler, sampling=chosen, grammar=grammar, schema=schema,
                          speculator=speculator)

    def _evaluate(self, pointer: Any, n_tokens: int, call: Callable[[], int]) -> None:
        """Make a call that evaluates so many tokens, so that an interrupt stops what takes longer than a token or two."""
        is_long = n_tokens > 8 or self._resource.calls_back
        self._check(pointer, interruptible(lambda _: call(), self._stop) if is_long else call())

    def _check(self, pointer: Any, status: int) -> None:
        if status != raw.lm_status.OK:
            check(status, text_of(raw.lm_context_message(pointer)))


def context_params(**values: int) -> raw.lm_context_params:
    params = raw.LM_CONTEXT_PARAMS_INIT()
    for name, value in values.items():
        if not hasattr(params, name):
            raise TypeError(f"a context has no parameter {name}")
        setattr(params, name, value)
    return params
