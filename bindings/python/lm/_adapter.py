# SPDX-License-Identifier: MIT
"""Adapters: small files that change a model."""
from __future__ import annotations

import os
from typing import NamedTuple, Union

from . import _raw as raw
from ._arguments import file_name, instance
from ._handle import Handle, Resource, made
from ._vocabulary import Vocabulary


class Adapter(Handle):
    """A LoRA or control vector for a model; shared by threads and contexts. Context.set_adapters uses it."""

    def __init__(self, model: Vocabulary, path: Union[str, os.PathLike[str]]) -> None:
        parent = instance("model", model, Vocabulary)._hold()
        try:
            pointer = made(raw.lm_adapter_open, raw.lm_adapter, parent.pointer, file_name("path", path))
            super().__init__(Resource(pointer, raw.lm_adapter_close, [parent]))
        finally:
            parent.release()


class AdapterUse(NamedTuple):
    """How strongly an adapter is used; layers: blocks a control vector is added after, last_layer 0 being the last with one."""

    adapter: Adapter
    scale: float = 1.0
    first_layer: int = 0
    last_layer: int = 0
