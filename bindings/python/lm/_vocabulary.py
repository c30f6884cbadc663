# SPDX-License-Identifier: MIT
"""Text to tokens and back: the part of a model that needs no weights."""
from __future__ import annotations

import ctypes
import threading
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Sequence

from . import _raw as raw
from ._arguments import token_array, utf8
from ._errors import Error, Status, check, failure
from ._handle import Handle, Resource

if TYPE_CHECKING:
    from ._grammar import GrammarVocab

TokenRole = raw.lm_token_role
TokenAttribute = raw.lm_token_attribute


def text_failure(status: int) -> Error:
    """These functions have no message of their own."""
    why = {Status.RANGE: "a token is outside of the vocabulary", Status.UNSUPPORTED: "the model's tokens have no texts",
           Status.LIMIT: "the text is too long"}
    return failure(status, why.get(Status(status), ""))


def written(call: Callable[[Any, int], int], capacity: int) -> bytes:
    """The bytes that a call of (out, capacity) writes, asked a second time where there was too little room."""
    while True:
        out = ctypes.create_string_buffer(capacity)
        n = call(out, capacity)
        if n < 0:
            raise text_failure(-n)
        if n <= capacity:
            return out.raw[:n]
        capacity = n


class Vocabulary(Handle):
    """A model's vocabulary: immutable, for any number of threads at once."""

    def __init__(self, resource: Resource, shared: Optional[Dict[str, Any]] = None) -> None:
        super().__init__(resource)
        self._shared: Dict[str, Any] = {} if shared is None else shared  # with all handles of the same model
        self._shared.setdefault("lock", threading.Lock())

    def share(self) -> Vocabulary:
        """Another handle of the same vocabulary, for an object that goes on when this one is closed."""
        resource = self._hold()
        try:
            return Vocabulary(Resource(resource.pointer, lambda _: None, [resource]), self._shared)
        finally:
            resource.release()

    @property
    def grammar_vocab(self) -> GrammarVocab:
        """The vocabulary sorted for masking, made when it is first asked for."""
        from ._grammar import GrammarVocab

        with self._shared["lock"]:
            if "grammar" not in self._shared:
                self._shared["grammar"] = GrammarVocab(self)
            found: GrammarVocab = self._shared["grammar"]
            return found

    @property
    def n_embd(self) -> int:
        """Floats of a hidden state."""
        info = raw.lm_model_info(ctypes.sizeof(raw.lm_model_info))
        with self._use() as pointer:
            check(raw.lm_model_get_info(pointer, ctypes.byref(info)))
        return info.n_embd

    def tokenize(self, text: str, *, add_special: bool = True, parse_special: bool = False) -> List[int]:
        """The tokens of a text. add_special puts BOS and the like where the model wants them; parse_special reads control tokens that
        are written out in the text, which is for trusted text only. Half a surrogate pair in the text is read as U+FFFD."""
        data = utf8("text", text)
        flags = (raw.LM_TOKENIZE_ADD_SPECIAL if add_special else 0) | (raw.LM_TOKENIZE_PARSE_SPECIAL if parse_special else 0)
        capacity = len(data) + 8
        with self._use() as pointer:
            while True:
                out = (ctypes.c_int32 * capacity)()
                n = raw.lm_tokenize(pointer, data, len(data), int(flags), out, capacity)
                if n < 0:
                    raise text_failure(-n)
                if n <= capacity:
                    return out[:n]
                capacity = n

    def detokenize(self, tokens: Sequence[int], *, special: bool = False, remove_added: bool = False) -> str:
        """The text of tokens. Bytes that are no UTF-8 become U+FFFD; detokenize_bytes gives them as they are."""
        return self.detokenize_bytes(tokens, special=special, remove_added=remove_added).decode("utf-8", "replace")

    def detokenize_bytes(self, tokens: Sequence[int], *, special: bool = False, remove_added: bool = False) -> bytes:
        """The bytes of tokens. special writes control tokens out; remove_added drops what add_special put in."""
        flags = (raw.LM_DETOKENIZE_SPECIAL if special else 0) | (raw.LM_DETOKENIZE_REMOVE_ADDED if remove_added else 0)
        array = token_array(tokens)
        with self._use() as pointer:
            return written(lambda out, n: raw.lm_detokenize(pointer, array, len(array), int(flags), out, n), 8 * len(array) + 64)

    def token_piece(self, token: int, *, special: bool = False) -> bytes:
        """The bytes one token adds to a text, untidied."""
        flags = int(raw.LM_DETOKENIZE_SPECIAL) if special else 0
        with self._use() as pointer:
            return written(lambda out, n: raw.lm_token_piece(pointer, token, flags, out, n), 64)

    def text_stream(self, *, special: bool = False) -> TextStream:
        """A stream that turns tokens into whole characters."""
        return TextStream(self, special)

    @property
    def n_vocab(self) -> int:
        """Tokens in the vocabulary; their numbers are below it."""
        with self._use() as pointer:
            return raw.lm_vocab_size(pointer)

    def token(self, role: int) -> Optional[int]:
        """The token of a TokenRole, None when the vocabulary has none."""
        with self._use() as pointer:
            return _token(raw.lm_vocab_token(pointer, role))

    @property
    def bos(self) -> Optional[int]:
        """The token that begins a text, None when there is none."""
        with self._use() as pointer:
            return _token(raw.lm_vocab_bos(pointer))

    @property
    def eos(self) -> Optional[int]:
        """The token that ends a text, None when there is none."""
        with self._use() as pointer:
            return _token(raw.lm_vocab_eos(pointer))

    @property
    def eot(self) -> Optional[int]:
        """The token that ends a turn, None when there is none."""
        with self._use() as pointer:
            return _token(raw.lm_vocab_eot(pointer))

    def is_end(self, token: int) -> bool:
        """Whether generation stops at the token."""
        with self._use() as pointer:
            return bool(raw.lm_token_is_end(pointer, token))

    def attributes(self, token: int) -> int:
        """TokenAttribute bits; 0 when undefined or out of range."""
        with self._use() as pointer:
            return raw.lm_token_attributes(pointer, token)


def _token(token: int) -> Optional[int]:
    return None if token == raw.LM_TOKEN_NONE else token


class TextStream(Handle):
    """Tokens in, whole characters out: what a token leaves unfinished waits for the next."""

    def __init__(self, vocabulary: Vocabulary, special: bool = False) -> None:
        parent = vocabulary._hold()
        try:
            super().__init__(Resource(parent.pointer, lambda _: None, [parent]))
        finally:
            parent.release()
        self._flags = int(raw.LM_DETOKENIZE_SPECIAL) if special else 0
        self._stream = raw.lm_text_stream()

    def next(self, token: int) -> str:
        """The characters that are complete with this token."""
        stream = ctypes.byref(self._stream)
        with self._use() as pointer:
            return written(lambda out, n: raw.lm_text_stream_next(pointer, stream, token, self._flags, out, n), 256).decode()

    def end(self) -> str:
        """U+FFFD when a character was left unfinished, else nothing."""
        return written(lambda out, n: raw.lm_text_stream_end(ctypes.byref(self._stream), out, n), 8).decode()
