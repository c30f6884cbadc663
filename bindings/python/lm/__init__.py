# SPDX-License-Identifier: MIT
"""liblm for Python: open-weight language models inside your program.

    import lm

    with lm.Model("model.gguf") as model:
        for piece in model.generate("Once upon a time", max_tokens=40):
            print(piece, end="")

Model, Context, Sampler, Chat, Grammar and the others own what they were made for: close them, use them in a with statement, or let them
go. Any thread may use any of them. Failures are lm.Error and its subclasses. doc/python.md is the manual; include/lm the reference.
"""
from ._adapter import Adapter, AdapterUse
from ._chat import Chat, ChatParser, Delta, DeltaKind, Prompt, Span
from ._context import BatchItem, Context, DType, Logits, Output, Pooling, SyncReason
from ._conversation import Answer, Conversation, Reply
from ._errors import (ArgumentError, BusyError, CancelledError, ClosedError, DeviceError, Error, FileError, FormatError, FullError,
                      LimitError, MismatchError, NotFoundError, OutOfMemoryError, RaisedError, RangeError, StateError, Status,
                      UnsupportedError)
from ._generate import Finish, Generation
from ._grammar import Grammar, GrammarMatcher, GrammarTokenKind, GrammarVocab, Trigger, TriggerKind
from ._model import Load, Metadata, Model
from ._raw import lm_version as _lm_version
from ._records import ContextParams, Machine, Memory, ModelInfo, Plan, SpeculatorStats, SyncInfo, TensorInfo, TokenProb
from ._runtime import Runtime
from ._sampler import Sampler, Sampling
from ._session import ChatSession, ChatStream, Report, Request, ToolChoice
from ._speculator import Drafter, Speculator
from ._stream import Stream
from ._vocabulary import TextStream, TokenAttribute, TokenRole, Vocabulary


def _version(number: int) -> str:
    return f"{number // 1000000}.{number // 1000 % 1000}.{number % 1000}"


__version__ = _version(_lm_version())
__all__ = [
    "Adapter", "AdapterUse", "Answer", "ArgumentError", "BatchItem", "BusyError", "CancelledError", "Chat", "ChatParser", "ChatSession",
    "ChatStream", "ClosedError", "Context", "ContextParams", "Conversation", "DType", "Delta", "DeltaKind", "DeviceError", "Drafter",
    "Error",     "FileError", "Finish", "FormatError", "FullError", "Generation", "Grammar", "GrammarMatcher", "GrammarTokenKind", "GrammarVocab",
    "LimitError", "Load", "Logits", "Machine", "Memory", "Metadata", "MismatchError", "Model", "ModelInfo", "NotFoundError",
    "OutOfMemoryError", "Output", "Plan", "Pooling", "Prompt", "RaisedError", "RangeError", "Reply", "Report", "Request", "Runtime",
    "Sampler", "Sampling", "Span", "Speculator", "SpeculatorStats", "StateError", "Status", "Stream", "SyncInfo", "SyncReason",
    "TensorInfo", "TextStream", "TokenAttribute", "TokenProb", "TokenRole", "ToolChoice", "Trigger", "TriggerKind", "UnsupportedError",
    "Vocabulary",
]
