# SPDX-License-Identifier: MIT
"""Sampler: logits to the next token."""
from __future__ import annotations

import ctypes
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, List, Mapping, Optional, Sequence, Tuple

from . import _raw as raw
from ._arguments import c_text, dictionary, instance, listed, token_array, whole
from ._errors import check, text_of
from ._handle import Handle, Resource, Turn, chars, made, using
from ._records import TokenProb, record
from ._vocabulary import Vocabulary

if TYPE_CHECKING:
    from ._grammar import GrammarMatcher


@dataclass(frozen=True)
class Sampling:
    """The members of lm_sampler_params (include/lm/sampler.h says what each does); None leaves the library's default. Tokens of
    biases map to what is added to their logits; reasoning tags are sequences of tokens."""

    seed: Optional[int] = None
    order: Optional[str] = None
    temperature: Optional[float] = None
    dynatemp_range: Optional[float] = None
    dynatemp_exponent: Optional[float] = None
    top_k: Optional[int] = None
    top_p: Optional[float] = None
    min_p: Optional[float] = None
    typical_p: Optional[float] = None
    top_n_sigma: Optional[float] = None
    xtc_probability: Optional[float] = None
    xtc_threshold: Optional[float] = None
    min_keep: Optional[int] = None
    repeat_last_n: Optional[int] = None
    repeat_penalty: Optional[float] = None
    frequency_penalty: Optional[float] = None
    presence_penalty: Optional[float] = None
    dry_multiplier: Optional[float] = None
    dry_base: Optional[float] = None
    dry_allowed_length: Optional[int] = None
    dry_last_n: Optional[int] = None
    dry_breakers: Optional[Sequence[str]] = None
    mirostat: Optional[int] = None
    mirostat_tau: Optional[float] = None
    mirostat_eta: Optional[float] = None
    adaptive_target: Optional[float] = None
    adaptive_decay: Optional[float] = None
    biases: Optional[Mapping[int, float]] = None
    ignore_eos: Optional[bool] = None
    n_probs: Optional[int] = None
    probs_after: Optional[bool] = None
    reasoning_budget: Optional[int] = None
    reasoning_start: Optional[Sequence[int]] = None
    reasoning_ends: Optional[Sequence[Sequence[int]]] = None
    reasoning_forced: Optional[Sequence[int]] = None

    def struct(self) -> raw.lm_sampler_params:
        """The parameters as C takes them; what they point to lives as long as they do."""
        params = raw.LM_SAMPLER_PARAMS_INIT()
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None:
                continue
            if field.name == "order":
                params.order = chars(c_text("order", value))
            elif field.name == "dry_breakers":
                params.dry_breakers = (ctypes.POINTER(ctypes.c_char) * len(value))(
                    *[chars(c_text("dry_breakers", text)) for text in listed("dry_breakers", value)])
                params.n_dry_breakers = len(value)
            elif field.name == "biases":
                params.biases = (raw.lm_logit_bias * len(value))(
                    *[_bias(*item) for item in dictionary("biases", value).items()])
                params.n_biases = len(value)
            elif field.name == "reasoning_ends":
                params.reasoning_ends = (raw.lm_token_span * len(value))(*[_span(field.name, tokens) for tokens in listed(field.name, value)])
                params.n_reasoning_ends = len(value)
            else:
                is_span = field.name in ("reasoning_start", "reasoning_forced")
                setattr(params, field.name, _span(field.name, value) if is_span else value)
        return params


def _span(name: str, tokens: Sequence[int]) -> raw.lm_token_span:
    return raw.lm_token_span(ctypes.cast(token_array(tokens, name), ctypes.POINTER(ctypes.c_int32)), len(tokens))


def _bias(token: int, bias: float) -> raw.lm_logit_bias:
    return raw.lm_logit_bias(whole("biases", token, -2**31), bias)


def choose_sampling(sampling: Optional[Sampling], **shorthands: Any) -> Optional[Sampling]:
    """Sampling with the shorthands that were given put over it; None when there is nothing, which is the model's advice."""
    given = {name: value for name, value in shorthands.items() if value is not None}
    if sampling is not None:
        instance("sampling", sampling, Sampling)
    return replace(sampling or Sampling(), **given) if given else sampling


class Sampler(Handle):
    """The state of one generation's choices; one thread at a time, others wait.

    sampling None takes what the model's file recommends, else the library's defaults. Sampler.for_logits makes one without a model.
    """

    def __init__(self, model: Vocabulary, sampling: Optional[Sampling] = None) -> None:
        params = None if sampling is None else ctypes.byref(instance("sampling", sampling, Sampling).struct())
        parent = instance("model", model, Vocabulary)._hold()
        try:
            pointer = made(raw.lm_sampler_for_model, raw.lm_sampler, parent.pointer, params)
            super().__init__(Resource(pointer, raw.lm_sampler_destroy, [parent]), Turn("sampler"))
        finally:
            parent.release()

    @classmethod
    def for_logits(cls, n_vocab: int, sampling: Optional[Sampling] = None, *, eot: Optional[int] = None, eos: Optional[int] = None,
                   suppressed: Sequence[int] = ()) -> Sampler:
        """A sampler for rows of n_vocab logits from elsewhere. Members that look at texts (dry, infill) need a model."""
        vocab = raw.LM_SAMPLER_VOCAB_INIT()
        vocab.n_vocab = n_vocab
        vocab.eot = raw.LM_TOKEN_NONE if eot is None else eot
        vocab.eos = raw.LM_TOKEN_NONE if eos is None else eos
        vocab.suppressed, vocab.n_suppressed = token_array(suppressed), len(suppressed)
        params = instance("sampling", sampling or Sampling(), Sampling).struct()
        return cls._of(made(raw.lm_sampler_create, raw.lm_sampler, ctypes.byref(params), ctypes.byref(vocab)), [])

    @classmethod
    def _of(cls, pointer: Any, parents: Sequence[Resource]) -> Sampler:
        sampler = cls.__new__(cls)
        Handle.__init__(sampler, Resource(pointer, raw.lm_sampler_destroy, parents), Turn("sampler"))
        return sampler

    def clone(self) -> Sampler:
        """An independent sampler in exactly the same state."""
        out = ctypes.POINTER(raw.lm_sampler)()
        with using(self) as (pointer,):
            check(raw.lm_sampler_clone(pointer, ctypes.byref(out)))
            return self._of(out, self._resource._parents)

    def set_grammar(self, matcher: Optional[GrammarMatcher]) -> None:
        """Let only tokens through that a grammar allows, from where the matcher is; None removes the grammar."""
        if matcher is None:
            with using(self) as (pointer,):
                check(raw.lm_sampler_set_grammar(pointer, None))
            return
        from ._grammar import GrammarMatcher

        with using(self, instance("matcher", matcher, GrammarMatcher)) as (pointer, other):
            check(raw.lm_sampler_set_grammar(pointer, other), "the matcher has no vocabulary, or memory is short")

    def set_limit(self, n_tokens: Optional[int]) -> None:
        """How many tokens may still be generated; None: any number. A grammar is then completed in time where that is possible."""
        with using(self) as (pointer,):
            check(raw.lm_sampler_set_limit(pointer, -1 if n_tokens is None else whole("n_tokens", n_tokens)), f"a limit of {n_tokens} tokens")

    def reset(self) -> None:
        """Back to the state after creation, with the same seed."""
        with using(self) as (pointer,):
            raw.lm_sampler_reset(pointer)

    @property
    def seed(self) -> int:
        """The seed in use, also where it was chosen by chance."""
        with using(self) as (pointer,):
            return raw.lm_sampler_seed(pointer)

    def pick(self, logits: Any) -> int:
        """Choose a token from a row of logits: floats in a sequence, or a buffer of them such as a numpy array. Call accept with the one
        that is really used."""
        row = _row(logits, copy=False)
        out = ctypes.c_int32()
        with using(self) as (pointer,):
            self._check(pointer, raw.lm_sampler_pick(pointer, row, len(row), ctypes.byref(out)))
        return out.value

    def apply(self, logits: Any) -> List[float]:
        """The row after the chain without its selecting member; removed tokens are -inf. The row given stays as it is."""
        row = _row(logits, copy=True)
        with using(self) as (pointer,):
            self._check(pointer, raw.lm_sampler_apply(pointer, row, len(row)))
        return list(row)

    def accept(self, token: int) -> None:
        """Enter a generated token into all histories."""
        with using(self) as (pointer,):
            self._check(pointer, raw.lm_sampler_accept(pointer, token))

    def accept_prompt(self, tokens: Sequence[int], n_prefill: int = 0) -> None:
        """Enter prompt tokens; the last n_prefill are the generation prompt."""
        array = token_array(tokens)
        with using(self) as (pointer,):
            self._check(pointer, raw.lm_sampler_accept_prompt(pointer, array, len(array), n_prefill))

    def candidates(self) -> Tuple[List[TokenProb], TokenProb]:
        """The most likely tokens of the last pick, best first, and the picked one. Needs Sampling.n_probs > 0."""
        found, n, picked = ctypes.POINTER(raw.lm_token_prob)(), ctypes.c_size_t(), raw.lm_token_prob()
        with using(self) as (pointer,):
            status = raw.lm_sampler_candidates(pointer, ctypes.byref(found), ctypes.byref(n), ctypes.byref(picked))
            check(status, "nothing was picked yet, or Sampling.n_probs is 0")
            return [record(TokenProb, found[i]) for i in range(n.value)], record(TokenProb, picked)

    def end_reasoning(self) -> None:
        """Close an open reasoning block now: the forced sequence follows."""
        with using(self) as (pointer,):
            check(raw.lm_sampler_end_reasoning(pointer), "no reasoning block is open")

    def _check(self, pointer: Any, status: int) -> None:
        if status != raw.lm_status.OK:
            check(status, text_of(raw.lm_sampler_message(pointer)))


def _row(logits: Any, copy: bool) -> Any:
    """A ctypes array of floats: the caller's own memory where that is possible and wanted."""
    try:
        view = memoryview(logits)
    except TypeError:
        return (ctypes.c_float * len(listed("logits", logits)))(*logits)
    if view.itemsize != 4 or view.format.lstrip("<=@") != "f" or not view.c_contiguous:
        return (ctypes.c_float * len(logits))(*logits)
    kind = ctypes.c_float * (view.nbytes // 4)
    return kind.from_buffer_copy(view) if copy or view.readonly else kind.from_buffer(view)
