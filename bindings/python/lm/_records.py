# SPDX-License-Identifier: MIT
"""What calls report, as frozen dataclasses with the names of the C structs' members (include/lm says what each one means)."""
from __future__ import annotations

import ctypes
from dataclasses import dataclass, fields
from typing import Any, List, Type, TypeVar

from . import _raw as raw
from ._errors import text_of

T = TypeVar("T")


@dataclass(frozen=True)
class ModelInfo:
    architecture: str
    name: str
    n_params: int
    weights_bytes: int
    n_vocab: int
    n_embd: int
    n_layers: int
    n_heads: int
    n_heads_kv: int
    n_ctx_train: int
    n_experts: int
    n_experts_used: int
    active_bytes: int
    active_params: int
    n_draft_layers: int


@dataclass(frozen=True)
class TensorInfo:
    name: str
    type: str
    dtype: int
    n_dims: int
    dims: List[int]
    bytes: int


@dataclass(frozen=True)
class ContextParams:
    """The parameters in force."""

    n_ctx: int
    n_seqs: int
    n_batch: int
    n_outputs: int
    k_type: int
    v_type: int
    n_threads: int
    n_checkpoints: int
    cache_bytes: int
    outputs: int
    pooling: int
    n_draft: int


@dataclass(frozen=True)
class SyncInfo:
    reason: int
    n_reused: int
    n_evaluated: int
    n_known: int
    n_from_cache: int
    checkpoint: int


@dataclass(frozen=True)
class Memory:
    weights_bytes: int
    copied_bytes: int
    model_bytes: int
    cache_bytes: int
    work_bytes: int
    context_bytes: int
    n_pages: int
    n_pages_free: int
    n_pages_cached: int


@dataclass(frozen=True)
class Plan:
    fits: int
    memory: Memory
    total_bytes: int
    memory_bytes: int
    n_ctx: int
    n_ctx_fitting: int
    tokens_per_second: float
    tokens_per_second_full: float
    resident_share: float


@dataclass(frozen=True)
class Machine:
    n_threads: int
    read_bytes_per_second: float
    int_ops_per_second: float
    memory_total: int
    memory_available: int


@dataclass(frozen=True)
class SpeculatorStats:
    is_off: int
    n_rounds: int
    n_plain: int
    n_drafted: int
    n_accepted: int


@dataclass(frozen=True)
class TokenProb:
    token: int
    p: float
    logprob: float


def _value(value: Any) -> Any:
    if isinstance(value, raw.lm_memory):
        return record(Memory, value)
    if isinstance(value, ctypes.Array):
        return list(value)
    return text_of(value) if isinstance(value, ctypes._Pointer) else value


def record(kind: Type[T], struct: ctypes.Structure) -> T:
    """A dataclass from the members of the same names."""
    return kind(**{field.name: _value(getattr(struct, field.name)) for field in fields(kind)})  # type: ignore[arg-type]
