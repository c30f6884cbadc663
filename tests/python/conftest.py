# SPDX-License-Identifier: MIT
"""Where the golden files are, and the models that most tests use."""
from __future__ import annotations

import pathlib
from typing import Iterator

import pytest

import lm

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden"
CHAT = GOLDEN / "session" / "chat.gguf"
PLAIN = GOLDEN / "models" / "llama.gguf"


@pytest.fixture
def model() -> Iterator[lm.Model]:
    with lm.Model(PLAIN, n_threads=1) as opened:
        yield opened


@pytest.fixture
def chat_model() -> Iterator[lm.Model]:
    with lm.Model(CHAT, n_threads=1) as opened:
        yield opened
