# SPDX-License-Identifier: MIT
"""Speculator: several tokens from one evaluation, the same tokens as without."""
from __future__ import annotations

import ctypes
from typing import Any, List, Optional

from . import _raw as raw
from ._arguments import instance, whole
from ._context import Context
from ._errors import check
from ._handle import Handle, Resource, made, sized, using
from ._records import SpeculatorStats, record
from ._sampler import Sampler

Drafter = raw.lm_drafter


class Speculator(Handle):
    """A speculator for a sequence of a context opened with n_draft > 0: n-grams of the text propose, or with draft a second context, of a
    smaller model with the same vocabulary, or with Drafter.MTP the model's own draft block. The parameters are those of
    lm_speculator_params (include/lm/speculate.h)."""

    def __init__(self, context: Context, *, draft: Optional[Context] = None, drafter: Optional[int] = None, seq: int = 0,
                 n_draft: int = 0, draft_seq: int = 0, always: bool = False) -> None:
        params = raw.LM_SPECULATOR_PARAMS_INIT()
        params.seq, params.n_draft, params.draft_seq, params.always = seq, n_draft, draft_seq, always
        if draft is not None:
            params.drafter = Drafter.MODEL
        if drafter is not None:
            params.drafter = drafter
        self._contexts = [instance("context", context, Context)] + ([] if draft is None else [instance("draft", draft, Context)])
        self._seq = seq
        with using(*self._contexts) as pointers:
            if draft is not None:
                params.draft = pointers[1]
            pointer = made(raw.lm_speculator_create, raw.lm_speculator, pointers[0], ctypes.byref(params))
            resource = Resource(pointer, raw.lm_speculator_destroy, [c._resource for c in self._contexts])
            super().__init__(resource, context._turn)
        #: More tokens than speculate can give at once.
        self.capacity = (n_draft or context.params.n_draft) + 2

    def speculate(self, sampler: Sampler, capacity: int) -> List[int]:
        """Choose the next tokens, at least one and at most capacity, and evaluate all of them but the last."""
        with using(self, instance("sampler", sampler, Sampler), *self._contexts) as (pointer, chooser, context, *_):
            return self._speculate(pointer, chooser, context, capacity)

    def _speculate(self, pointer: Any, chooser: Any, context: Any, capacity: int) -> List[int]:
        out, n = (ctypes.c_int32 * whole("capacity", capacity))(), ctypes.c_size_t()
        target = self._contexts[0]
        target._changes[self._seq] += 1
        target._evaluate(context, capacity, lambda: raw.lm_speculate(pointer, chooser, out, capacity, ctypes.byref(n)))
        return out[:n.value]

    @property
    def stats(self) -> SpeculatorStats:
        """How many tokens were proposed and accepted so far."""
        out = sized(raw.lm_speculator_stats)
        with using(self) as (pointer,):
            check(raw.lm_speculator_get_stats(pointer, ctypes.byref(out)))
        return record(SpeculatorStats, out)
