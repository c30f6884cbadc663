# SPDX-License-Identifier: MIT
"""Generation: a prompt's continuation as a stream of text."""
from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Callable, Iterator, List, Optional

from . import _raw as raw
from ._arguments import instance, token_array, whole
from ._errors import CancelledError, FullError, StateError
from ._grammar import Grammar, Schema
from ._handle import using
from ._records import SyncInfo
from ._sampler import Sampler, Sampling
from ._stream import Stream

if TYPE_CHECKING:
    from ._context import Context, Text
    from ._speculator import Speculator

Finish = raw.lm_chat_finish


class Generation(Stream[str, str]):
    """Whole characters of text as they come; the result is all of the text.

    tokens   what was chosen so far, the end token included
    finish   how it ended: Finish.END, LENGTH (max_tokens, or the context is full) or CANCELLED; None before
    reused   what sync reused of the prompt; None before the first step
    """

    def __repr__(self) -> str:
        return f"<lm.Generation of {len(self.tokens)} tokens, {'running' if self.finish is None else self.finish.name}>"

    def __init__(self, context: Context, prompt: Text, *, max_tokens: Optional[int], seq: int, sampler: Optional[Sampler],
                 sampling: Optional[Sampling], grammar: Optional[Grammar], schema: Optional[Schema], speculator: Optional[Speculator],
                 done: Optional[Callable[[], None]] = None) -> None:
        if sampler is not None and (sampling is not None or grammar is not None or schema is not None):
            raise ValueError("a sampler given brings its own sampling and grammar")
        if grammar is not None and schema is not None:
            raise ValueError("grammar and schema exclude each other")
        if sampler is not None:
            instance("sampler", sampler, Sampler)
        if speculator is not None:
            from ._speculator import Speculator

            instance("speculator", speculator, Speculator)
        vocabulary = context._vocabulary
        self.tokens: List[int] = []
        self.finish: Optional[Finish] = None
        self.reused: Optional[SyncInfo] = None
        self._context = context
        self._prompt = vocabulary.tokenize(prompt) if isinstance(prompt, str) else list(token_array(prompt, "prompt"))
        self._max_tokens = None if max_tokens is None else whole("max_tokens", max_tokens)
        self._seq = whole("seq", seq)
        self._own_sampler = Sampler(vocabulary, sampling) if sampler is None else None
        self._sampler = sampler or self._own_sampler
        self._speculator = speculator
        self._done = done
        self._text = vocabulary.text_stream()
        self._parts: List[str] = []
        self._pending: List[int] = []  # chosen and not yet handed out
        self._change = -1  # of the sequence, after our last call on it
        self._is_cancelled = False
        self._is_evaluating = False  # in our turn on the context: the only time when stopping it stops nobody else
        self._stop_lock = threading.Lock()
        if schema is not None:
            with Grammar.from_json_schema(schema) as made:
                self._constrain(made)
        elif grammar is not None:
            self._constrain(instance("grammar", grammar, Grammar))
        super().__init__()

    def _constrain(self, grammar: Grammar) -> None:
        with grammar.matcher(self._context._vocabulary.grammar_vocab) as matcher:
            assert self._sampler is not None
            self._sampler.set_grammar(matcher)
        self._sampler.set_limit(self._max_tokens)  # so that the text is whole when they are used up

    def _step(self) -> Optional[str]:
        while self.finish is None or self._pending:
            if not self._pending:
                self._advance()
                continue
            token = self._pending.pop(0)
            self.tokens.append(token)
            if self._context._vocabulary.is_end(token):
                self.finish = Finish.END
            else:
                text = self._text.next(token)
                if text:
                    self._parts.append(text)
                    return text
        tail = self._text.end()
        self._parts.append(tail)
        return tail or None

    def _advance(self) -> None:
        """Choose the next token or tokens, or find out how the text ends."""
        try:
            if self._max_tokens is not None and len(self.tokens) >= self._max_tokens:
                self.finish = Finish.LENGTH
            elif self._is_cancelled:
                self.finish = Finish.CANCELLED
            else:
                self._pending = self._choose()
        except FullError:
            if self._change < 0:  # the prompt itself does not fit
                raise
            self.finish = Finish.LENGTH
        except CancelledError:
            self.finish = Finish.CANCELLED

    def _choose(self) -> List[int]:
        context, seq = self._context, self._seq
        assert self._sampler is not None
        handles: List[Any] = [context, self._sampler]
        if self._speculator is not None:
            handles += [self._speculator, *self._speculator._contexts[1:]]
        with using(*handles) as (pointer, chooser, *more), self._evaluating():
            if self._change < 0:
                self.reused = context._sync(pointer, self._prompt, seq)
                self._sampler._check(chooser, raw.lm_sampler_accept_prompt(chooser, token_array(self._prompt), len(self._prompt), 0))
            elif context._changes[seq] != self._change:
                raise StateError(f"sequence {seq} was changed while text is generated on it")
            elif self._speculator is None:
                context._append(pointer, seq, self.tokens[-1])
            if self._speculator is None:
                chosen = [context._sample(pointer, chooser)]
            else:
                room = self._speculator.capacity
                if self._max_tokens is not None:
                    room = min(room, self._max_tokens - len(self.tokens))
                chosen = self._speculator._speculate(more[0], chooser, pointer, room)
            self._change = context._changes[seq]
            return chosen

    @contextmanager
    def _evaluating(self) -> Iterator[None]:
        with self._stop_lock:
            if self._is_cancelled:  # while waiting for the turn
                raise CancelledError("cancelled")
            self._is_evaluating = True
        try:
            yield
        finally:
            with self._stop_lock:
                self._is_evaluating = False

    def _poke(self) -> None:
        with self._stop_lock:
            self._is_cancelled = True
            if self._is_evaluating:
                self._context._stop()

    def _end(self) -> None:
        if self.finish is None:
            self.finish = Finish.CANCELLED
        self._text.close()
        if self._own_sampler is not None:
            self._own_sampler.close()
        if self._done is not None:
            self._done()

    def _result(self) -> str:
        return "".join(self._parts)
