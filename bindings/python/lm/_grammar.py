# SPDX-License-Identifier: MIT
"""Grammars: which texts may be generated."""
from __future__ import annotations

import ctypes
from typing import Any, Callable, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from . import _raw as raw
from ._arguments import instance, listed, source, utf8, whole
from ._errors import check
from ._handle import Handle, Resource, Turn, chars, made, using
from ._interrupt import interruptible
from ._schemas import schema_bytes
from ._vocabulary import Vocabulary

GrammarTokenKind = raw.lm_grammar_token_kind
TriggerKind = raw.lm_grammar_trigger_kind
Schema = Union[str, Mapping[str, Any], bool, type]
_FindToken = dict(raw.lm_grammar_params._fields_)["find_token"]  # type: ignore[arg-type]
_Get = dict(raw.lm_grammar_vocab_params._fields_)["get"]  # type: ignore[arg-type]


class Grammar(Handle):
    """A compiled grammar: immutable, for any number of threads. from_gbnf and from_json_schema make one."""

    def __init__(self, compiled: Resource) -> None:
        if not isinstance(compiled, Resource):
            raise TypeError("Grammar.from_gbnf and Grammar.from_json_schema make a grammar")
        super().__init__(compiled)

    @classmethod
    def from_gbnf(cls, text: str, *, find_token: Optional[Callable[[str], Optional[int]]] = None) -> Grammar:
        """Compile GBNF. find_token gives the token that a <text> in the grammar is; without it such grammars are refused."""
        params, raised = raw.LM_GRAMMAR_PARAMS_INIT(), []

        def find(_user: Any, spelled: Any, n: int) -> int:
            try:
                token = find_token(ctypes.string_at(spelled, n).decode("utf-8", "replace")) if find_token else None
                return raw.LM_TOKEN_NONE if token is None else token
            except BaseException as error:  # it goes on in Python, not through C
                raised.append(error)
                return raw.LM_TOKEN_NONE

        if find_token is not None:
            params.find_token = _FindToken(find)
        data = source("grammar", text)
        try:
            return cls._compiled(raw.lm_grammar_from_gbnf, data, params)
        finally:
            if raised:
                raise raised[0]

    @classmethod
    def from_json_schema(cls, schema: Schema, *, compact: bool = False) -> Grammar:
        """Compile a JSON Schema, given as text, as what json.loads makes of it, or as a type that has one (doc/python.md
        says which). compact: JSON without white space between its parts."""
        params = raw.LM_GRAMMAR_PARAMS_INIT()
        params.flags = int(raw.LM_GRAMMAR_COMPACT) if compact else 0
        return cls._compiled(raw.lm_grammar_from_json_schema, schema_bytes(schema), params)

    @classmethod
    def _compiled(cls, call: Callable[..., int], data: bytes, params: raw.lm_grammar_params) -> Grammar:
        pointer = interruptible(lambda _: made(call, raw.lm_grammar, data, len(data), ctypes.byref(params)))
        return cls(Resource(pointer, raw.lm_grammar_destroy))

    @property
    def memory(self) -> int:
        """Bytes held, masks cached for vocabularies included."""
        with self._use() as pointer:
            return raw.lm_grammar_memory(pointer)

    def matcher(self, vocab: Union[GrammarVocab, Vocabulary, None] = None, triggers: Sequence[Trigger] = ()) -> GrammarMatcher:
        """A matcher at the start of a text; any triggers make it lazy: it allows everything until one of them occurs."""
        return GrammarMatcher(self, vocab, triggers)


class GrammarVocab(Handle):
    """A vocabulary sorted for masking: a model's, or a list of the bytes and the GrammarTokenKind of each token."""

    def __init__(self, tokens: Union[Vocabulary, Sequence[Tuple[bytes, int]]], *, cache_bytes: Optional[int] = None) -> None:
        if isinstance(tokens, Vocabulary):
            with tokens._use() as model:
                pointer = made(raw.lm_grammar_vocab_for_model, raw.lm_grammar_vocab, model)
        else:
            pointer = self._from_list(listed("tokens", tokens), cache_bytes)
        super().__init__(Resource(pointer, raw.lm_grammar_vocab_destroy))

    @staticmethod
    def _from_list(tokens: Sequence[Tuple[bytes, int]], cache_bytes: Optional[int]) -> Any:
        kinds = [whole("tokens", kind) for _, kind in tokens]
        buffers = [chars(instance("tokens", piece, bytes)) for piece, _ in tokens]

        def get(_user: Any, token: int, out: Any, n: Any) -> int:
            out[0], n[0] = buffers[token], len(tokens[token][0])
            return kinds[token]

        params = raw.LM_GRAMMAR_VOCAB_PARAMS_INIT()
        params.n_tokens = len(tokens)
        params.get = _Get(get)
        if cache_bytes is not None:
            params.cache_bytes = cache_bytes
        return interruptible(lambda _: made(raw.lm_grammar_vocab_create, raw.lm_grammar_vocab, ctypes.byref(params)))


class Trigger(NamedTuple):
    """What wakes a lazy matcher: a token, or a text or pattern."""

    kind: int
    token: int = -1
    text: str = ""


class GrammarMatcher(Handle):
    """One text's way through a grammar; one thread at a time, others wait."""

    def __init__(self, grammar: Grammar, vocab: Union[GrammarVocab, Vocabulary, None] = None, triggers: Sequence[Trigger] = ()) -> None:
        params = raw.LM_GRAMMAR_MATCHER_PARAMS_INIT()
        places = (raw.lm_grammar_trigger * len(listed("triggers", triggers)))()
        for place, trigger in zip(places, [instance("triggers", trigger, Trigger) for trigger in triggers]):
            data = utf8("trigger", trigger.text)
            place.kind, place.token, place.text, place.text_size = trigger.kind, trigger.token, chars(data), len(data)
        params.triggers, params.n_triggers = places, len(triggers)
        held = vocab if vocab is None or isinstance(vocab, GrammarVocab) else instance("vocab", vocab, Vocabulary).grammar_vocab
        self.n_vocab = None if vocab is None else getattr(vocab, "n_vocab", None)
        with instance("grammar", grammar, Grammar)._use() as g:
            if held is None:
                pointer = made(raw.lm_grammar_matcher_create, raw.lm_grammar_matcher, g, None, ctypes.byref(params))
            else:
                with held._use() as v:
                    pointer = made(raw.lm_grammar_matcher_create, raw.lm_grammar_matcher, g, v, ctypes.byref(params))
        super().__init__(Resource(pointer, raw.lm_grammar_matcher_destroy), Turn("matcher"))

    def clone(self) -> GrammarMatcher:
        """An independent matcher at the same place."""
        out = ctypes.POINTER(raw.lm_grammar_matcher)()
        copy = GrammarMatcher.__new__(GrammarMatcher)
        with using(self) as (pointer,):
            check(raw.lm_grammar_matcher_clone(pointer, ctypes.byref(out)))
        Handle.__init__(copy, Resource(out, raw.lm_grammar_matcher_destroy), Turn("matcher"))
        copy.n_vocab = self.n_vocab
        return copy

    def reset(self) -> None:
        """Back to the start of a text."""
        with using(self) as (pointer,):
            check(raw.lm_grammar_matcher_reset(pointer))

    def accept_bytes(self, data: Union[bytes, str]) -> int:
        """Go on by bytes if all of them can follow, else stay. Gives how many could: len(data) when it went on."""
        data = instance("data", data, bytes) if not isinstance(data, str) else utf8("data", data)
        n = ctypes.c_size_t()
        with using(self) as (pointer,):
            status = raw.lm_grammar_matcher_accept_bytes(pointer, data, len(data), ctypes.byref(n))
        if status != raw.lm_status.MISMATCH:
            check(status)
        return n.value

    def accept_token(self, token: int) -> None:
        """Go on by a token; MismatchError when the grammar does not allow it, and then the matcher stays."""
        with using(self) as (pointer,):
            check(raw.lm_grammar_matcher_accept_token(pointer, token), f"token {token} is not allowed here")

    @property
    def is_complete(self) -> bool:
        """Whether the text may end here."""
        with using(self) as (pointer,):
            return bool(raw.lm_grammar_matcher_is_complete(pointer))

    @property
    def is_waiting(self) -> bool:
        """Whether a lazy matcher has not met a trigger."""
        with using(self) as (pointer,):
            return bool(raw.lm_grammar_matcher_is_waiting(pointer))

    def allowed(self, n_vocab: Optional[int] = None) -> List[int]:
        """The tokens that may come next, ascending. n_vocab is known where the matcher was made with a model."""
        n_tokens = self.n_vocab if n_vocab is None else whole("n_vocab", n_vocab)
        if n_tokens is None:
            raise ValueError("n_vocab: the size of the vocabulary is needed")
        mask = (ctypes.c_uint32 * ((n_tokens + 31) // 32))()
        with using(self) as (pointer,):
            check(raw.lm_grammar_matcher_mask(pointer, mask, len(mask)))
        return [word * 32 + bit for word, bits in enumerate(mask) if bits for bit in range(32) if bits >> bit & 1]

    def forced(self, capacity: int = 256) -> bytes:
        """The bytes that must follow, whatever the model would say; at most so many are looked for."""
        out = ctypes.create_string_buffer(whole("capacity", capacity))
        with using(self) as (pointer,):
            n = raw.lm_grammar_matcher_forced(pointer, out, capacity)
        return out.raw[:n]

    def completion(self, capacity: int = 4096) -> Optional[bytes]:
        """The start of a shortest text that completes what there is, at most so many bytes; empty when it may end here, None when none is
        known."""
        out = ctypes.create_string_buffer(whole("capacity", capacity))
        with using(self) as (pointer,):
            n = raw.lm_grammar_matcher_completion(pointer, out, capacity)
        return None if n == ctypes.c_size_t(-1).value else out.raw[:min(n, capacity)]

    @property
    def position(self) -> int:
        """Where the matcher is, for rewind."""
        with using(self) as (pointer,):
            return raw.lm_grammar_matcher_position(pointer)

    def rewind(self, position: int) -> None:
        """Back to a position on the way here."""
        with using(self) as (pointer,):
            check(raw.lm_grammar_matcher_rewind(pointer, position), f"{position} is no position on the way here, or too far back")
