# SPDX-License-Identifier: MIT
"""Generating, choosing, constraining, speculating, adapting, saving."""
from __future__ import annotations

import array
import json
import pathlib

import pytest

import lm
from conftest import GOLDEN, PLAIN

GREEDY = lm.Sampling(temperature=0, ignore_eos=True)


def by_hand(context: lm.Context, model: lm.Model, prompt: str, n: int) -> "list[int]":
    """What every generation must agree with: evaluate, take the largest logit, again."""
    ends = [token for token in range(model.n_vocab) if model.is_end(token)]
    chosen = []
    context.sync(model.tokenize(prompt))
    for _ in range(n):
        row = context.logits().tolist()
        best = max((value, -token) for token, value in enumerate(row) if token not in ends)
        chosen.append(-best[1])
        context.eval(chosen[-1:])
    return chosen


def test_generation_is_eval_and_sample_in_turn(model: lm.Model) -> None:
    with model.context(n_ctx=128) as context:
        wanted = by_hand(context, model, "Once", 20)
        with model.sampler(GREEDY) as sampler:
            context.sync(model.tokenize("Once"))
            chosen = []
            for _ in range(20):
                chosen.append(context.sample(sampler))
                context.eval(chosen[-1:])
        assert chosen == wanted
        short, whole = {"temperature": 0.0}, {"sampling": lm.Sampling(temperature=0)}
        assert context.generate("Once", max_tokens=20, **short).result() == context.generate("Once", max_tokens=20, **whole).result()  # type: ignore[arg-type]
        with model.sampler(GREEDY) as sampler, pytest.raises(ValueError, match="its own sampling"):
            context.generate("Once", sampler=sampler, temperature=1)
        generation = context.generate("Once", max_tokens=20, sampling=GREEDY)
        text = generation.result()
        assert generation.tokens == wanted and generation.finish == lm.Finish.LENGTH
        stream = model.text_stream()
        assert text == "".join(map(stream.next, wanted)) + stream.end()


def test_generation_ends_where_the_context_is_full(model: lm.Model) -> None:
    with model.context(n_ctx=24) as context:
        generation = context.generate([5] * 20, sampling=GREEDY)
        generation.result()
        assert generation.finish == lm.Finish.LENGTH and 4 <= len(generation.tokens) <= 6
        with pytest.raises(lm.FullError):
            context.generate([5] * 30).result()
        with pytest.raises(lm.ArgumentError):
            context.generate([], max_tokens=1).result()
        with pytest.raises(ValueError, match="grammar and schema"):
            context.generate("a", grammar=lm.Grammar.from_gbnf('root ::= "a"'), schema={})


def test_equal_seeds_choose_alike(model: lm.Model) -> None:
    texts = [model.generate("Once", max_tokens=12, seed=seed, temperature=1.5).result() for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]
    with model.sampler() as random:
        assert random.seed != 2**32 - 1


def test_samplers_work_on_rows_from_elsewhere() -> None:
    row = [0.0, 3.0, 1.0, -2.0]
    with lm.Sampler.for_logits(4, lm.Sampling(seed=7, n_probs=2, top_k=2, temperature=1)) as sampler:
        with pytest.raises(lm.StateError):
            sampler.candidates()
        picks = {sampler.pick(row) for _ in range(50)}
        assert picks == {1, 2}
        best, picked = sampler.candidates()
        assert [c.token for c in best] == [1, 2] and 0 < picked.p < 1 and best[0].logprob < 0
        assert sampler.apply(row)[0] == float("-inf") and row[0] == 0
        twin = sampler.clone()
        assert [sampler.pick(array.array("f", row)) for _ in range(20)] == [twin.pick(row) for _ in range(20)]
        sampler.accept(1)
        sampler.accept_prompt([1, 2, 3], 1)
        with pytest.raises(lm.RangeError):
            sampler.accept(4)
        with pytest.raises(lm.RangeError):
            sampler.pick([float("nan")] * 4)
        with pytest.raises(lm.StateError):
            sampler.end_reasoning()
        sampler.reset()
        assert sampler.seed == 7
    with lm.Sampler.for_logits(4, lm.Sampling(temperature=0, biases={2: 5.0, 1: float("-inf")})) as biased:
        assert biased.pick(row) == 2
    with lm.Sampler.for_logits(3, lm.Sampling(reasoning_start=[0], reasoning_ends=[[1]], reasoning_budget=0, temperature=0)) as short:
        short.accept(0)
        assert short.pick([9.0, 0.0, 5.0]) == 1, "the budget is used up: the end tag follows"


def test_grammars_bind_what_is_written(chat_model: lm.Model) -> None:
    with lm.Grammar.from_gbnf('root ::= ("th" | "he"){3}') as grammar:
        text = chat_model.generate("a", grammar=grammar, seed=3).result()
        assert len(text) == 6 and set(text[i:i + 2] for i in (0, 2, 4)) <= {"th", "he"}
        assert grammar.memory > 0
    schema = {"type": "object", "properties": {"n": {"enum": [1, 2]}}, "required": ["n"], "additionalProperties": False}
    assert json.loads(chat_model.generate("a", schema=schema, seed=3, max_tokens=200).result())["n"] in (1, 2)
    whole = chat_model.generate("a", schema={"type": "string", "pattern": "^[a-z]*$"}, seed=3, max_tokens=12)
    assert json.loads(whole.result()).islower() and len(whole.tokens) <= 12, "it is complete when the tokens are used up"
    compact = lm.Grammar.from_json_schema(json.dumps(schema), compact=True).matcher()
    assert compact.accept_bytes('{"n":1}') == 7 and compact.is_complete


def test_forced_tokens_need_no_choice(chat_model: lm.Model) -> None:
    with chat_model.context(n_ctx=64) as context, chat_model.sampler(GREEDY) as sampler:
        with lm.Grammar.from_gbnf('root ::= [ab] "hello there" "!"') as grammar, grammar.matcher(chat_model) as matcher:
            sampler.set_grammar(matcher)
        context.sync(chat_model.tokenize("x"))
        chosen = [context.sample(sampler)]
        chosen += context.sample_forced(sampler)
        assert len(chosen) > 3 and "hello the".startswith(chat_model.detokenize(chosen)[1:10])
        context.eval(chosen)
        sampler.set_grammar(None)
        sampler.set_limit(None)
        with pytest.raises(lm.StateError, match="draft logits"):
            context.draft_logits()


def test_matchers_say_what_may_follow(chat_model: lm.Model) -> None:
    grammar = lm.Grammar.from_gbnf('root ::= "the" ("a" | "b")')
    with grammar.matcher(chat_model) as matcher:
        allowed = matcher.allowed()
        assert {chat_model.token_piece(token) for token in allowed} == {b"t", b"th", b"the"}
        assert matcher.forced() == b"the" and matcher.completion() in (b"thea", b"theb") and matcher.position == 0
        matcher.accept_token(allowed[0])
        twin, place = matcher.clone(), matcher.position
        with pytest.raises(lm.MismatchError):
            matcher.accept_token(chat_model.tokenize("x")[-1])
        assert matcher.accept_bytes("he") == 2 and matcher.accept_bytes("q") == 0 and not matcher.is_complete
        matcher.rewind(place)
        assert matcher.allowed() == twin.allowed() and not matcher.is_waiting
    plain = [(b"a", lm.GrammarTokenKind.TEXT), (b"b", lm.GrammarTokenKind.TEXT), (b"", lm.GrammarTokenKind.END)]
    with lm.GrammarVocab(plain) as vocab, lm.Grammar.from_gbnf('root ::= "ab"?').matcher(vocab) as small:
        assert small.allowed(3) == [0, 2]
    lazy = lm.Grammar.from_gbnf('root ::= "<" [0-9] ">"').matcher(chat_model, [lm.Trigger(lm.TriggerKind.WORD, text="<")])
    assert lazy.is_waiting and lazy.accept_bytes("anything ") == 9
    assert lazy.accept_bytes("<7") == 2 and not lazy.is_waiting and lazy.accept_bytes("x") == 0
    with pytest.raises(ZeroDivisionError):
        lm.Grammar.from_gbnf("root ::= <x>", find_token=lambda text: 1 // 0)
    found = lm.Grammar.from_gbnf("root ::= <|im_end|>", find_token=lambda text: chat_model.tokenize(text, parse_special=True)[-1])
    assert found.matcher(chat_model).allowed() == [2]


@pytest.mark.parametrize("name", ["llama", "qwen3"])
def test_speculation_gives_the_same_tokens(name: str) -> None:
    prompt = [5, 6, 7, 8] * 6
    with lm.Model(GOLDEN / f"models/{name}.gguf") as model, model.context(n_ctx=128) as plain:
        wanted = plain.generate(prompt, max_tokens=30, sampling=GREEDY)
        wanted.result()
        for drafting in (False, True):
            with model.context(n_ctx=128, n_draft=4) as context, model.context(n_ctx=128, n_seqs=2) as second:
                speculator = lm.Speculator(context, draft=second if drafting else None, always=True)
                generation = context.generate(prompt, max_tokens=30, sampling=GREEDY, speculator=speculator)
                generation.result()
                assert generation.tokens == wanted.tokens
                assert speculator.stats.n_rounds > 0
                context.sync(prompt)
                with model.sampler(GREEDY) as sampler:
                    assert speculator.speculate(sampler, 3) == wanted.tokens[:len(context.tokens()) - len(prompt) + 1]


def test_draft_blocks_propose_and_show_their_rows() -> None:
    tokens = [5, 6, 7, 8] * 6
    both = lm.Output.LOGITS | lm.Output.DRAFT
    with lm.Model(GOLDEN / "models/deepseek2-mtp.gguf") as model, model.context(n_ctx=128) as plain:
        assert model.info.n_draft_layers == 1
        wanted = plain.generate(tokens, max_tokens=20, sampling=GREEDY)
        wanted.result()
        with model.context(n_ctx=128, n_draft=3, outputs=both) as context:
            with lm.Speculator(context, drafter=lm.Drafter.MTP, always=True) as speculator:
                generation = context.generate(tokens, max_tokens=20, sampling=GREEDY, speculator=speculator)
                generation.result()
                assert generation.tokens == wanted.tokens and speculator.stats.n_drafted > 0
        with model.context(n_ctx=128, outputs=both) as context:
            context.eval(tokens)
            assert len(context.draft_logits()) == model.n_vocab and bytes(context.draft_logits()) != bytes(context.logits())


def test_adapters_change_a_model_as_merging_does() -> None:
    tokens = [3, 14, 15, 9, 26]
    with lm.Model(GOLDEN / "models/plain.gguf") as model, lm.Model(GOLDEN / "models/plain-merged.gguf") as merged:
        with model.context(n_ctx=64) as context, merged.context(n_ctx=64) as other:
            context.eval(tokens)
            plain = context.logits().tolist()
            adapter = model.adapter(GOLDEN / "adapters/plain-lora.gguf")
            with pytest.raises(lm.StateError):
                context.set_adapters([adapter])
            context.clear()
            view = context.logits()
            with pytest.raises(lm.StateError, match="views"):
                context.set_adapters([adapter])
            del view
            context.set_adapters([lm.AdapterUse(adapter, 0.5), lm.AdapterUse(model.adapter(GOLDEN / "adapters/plain-lora2.gguf"), -1)])
            adapter.close()
            context.eval(tokens)
            other.eval(tokens)
            adapted = context.logits().tolist()
            assert max(abs(a - b) for a, b in zip(adapted, other.logits().tolist())) < 1e-3 < max(abs(a - b) for a, b in zip(adapted, plain))
            context.clear()
            context.set_adapters([])
            context.eval(tokens)
            assert context.logits().tolist() == plain


def test_sequences_fork_and_come_back_from_files(model: lm.Model, tmp_path: pathlib.Path) -> None:
    tokens = model.tokenize("Once upon a time there was")
    with model.context(n_ctx=128, n_seqs=3) as context:
        info = context.sync(tokens)
        assert info.n_evaluated == len(tokens) and info.reason == lm.SyncReason.UNKNOWN
        wanted = bytes(context.logits())
        context.save(tmp_path / "seq")
        context.fork(0, 1)
        context.restore(tmp_path / "seq", seq=2)
        context.mark(4, seq=1)
        for seq in (0, 1, 2):
            assert context.tokens(seq) == tokens
            context.trim(len(tokens) - 1, seq)
            context.eval_batch([lm.BatchItem(seq, tokens[-1:])])
            assert bytes(context.logits(0)) == wanted and context.n_logits == 1
        assert context.length(9) == -1 and context.tokens(9) == []
        with pytest.raises(lm.NotFoundError):
            context.restore(tmp_path / "none")
        (tmp_path / "seq").write_bytes(b"nonsense")
        with pytest.raises(lm.FormatError):
            context.restore(tmp_path / "seq")


def test_models_without_texts_still_have_tokens() -> None:
    with lm.Model(GOLDEN / "models/hybrid.gguf") as model, model.context(n_ctx=64) as context:
        with pytest.raises(lm.UnsupportedError, match="no texts"):
            model.tokenize("a")
        context.eval([3, 4])
        assert 0 <= context.sample(model.sampler()) < model.n_vocab
        with pytest.raises(lm.UnsupportedError, match="no texts"):
            context.generate([3, 4], max_tokens=3).result()


def test_a_file_name_may_be_any_path() -> None:
    with lm.Model(PLAIN) as by_path, lm.Model(str(PLAIN)) as by_text:
        assert by_path.info == by_text.info
