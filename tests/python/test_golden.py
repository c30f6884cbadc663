# SPDX-License-Identifier: MIT
"""The golden cases of the C suite through the package: logits and vectors, tokens, templates, parsers, grammars, schemas."""
from __future__ import annotations

import array
import datetime
import json
import math
import re
from typing import Any, Dict, Iterator, List, Sequence, Tuple

import pytest

import lm
from conftest import GOLDEN

MODELS = GOLDEN / "models"


def facts_of(kind: str) -> List[Any]:
    found = []
    for path in sorted(MODELS.glob("*.json")):
        facts = json.loads(path.read_text())
        if kind in facts:
            found.append(pytest.param(facts, id=path.stem))
    assert found
    return found


def floats(name: str) -> "array.array[float]":
    values = array.array("f")
    values.frombytes((MODELS / name).read_bytes())
    return values


def check_near(got: Sequence[float], wanted: Sequence[float], tolerance: Dict[str, float]) -> None:
    differences = [abs(a - b) for a, b in zip(got, wanted)]
    assert len(got) == len(wanted) and not any(math.isnan(d) for d in differences)
    assert max(differences) <= tolerance["max_abs"]
    assert math.sqrt(sum(d * d for d in differences) / len(differences)) <= tolerance["rms"]


def all_rows(context: lm.Context, tokens: Sequence[int], step: int) -> List[bytes]:
    rows = []
    for at in range(0, len(tokens), step):
        context.eval_batch([lm.BatchItem(0, tokens[at:at + step], lm.Logits.ALL)])
        rows += [bytes(context.logits(i)) for i in range(context.n_logits)]
    return rows


@pytest.mark.parametrize("facts", facts_of("logits"))
def test_logits_agree_with_the_reference(facts: Dict[str, Any]) -> None:
    with lm.Model(MODELS / f"{facts['name']}.gguf") as model:
        rows = {}
        for step, n_threads in ((512, 1), (7, 2)):
            with model.context(n_ctx=512, k_type=lm.DType.F32, v_type=lm.DType.F32, n_outputs=512, n_threads=n_threads) as context:
                rows[step] = all_rows(context, facts["tokens"], step)
        assert rows[512] == rows[7], "the logits depend on the batch"
        got: List[float] = []
        for position in facts["positions"]:
            got += memoryview(rows[512][position]).cast("f").tolist()
        check_near(got, floats(facts["logits"]), facts["tolerance"])


@pytest.mark.parametrize("facts", facts_of("pooled"))
def test_vectors_agree_with_the_reference(facts: Dict[str, Any]) -> None:
    wanted = floats(facts["pooled"])
    with lm.Model(MODELS / f"{facts['name']}.gguf") as model:
        for number, pooling in enumerate((lm.Pooling.MEAN, lm.Pooling.CLS)):
            with model.context(n_ctx=512, outputs=lm.Output.POOLED, pooling=pooling) as context:
                vector = context.embed([facts["tokens"]], normalise=False)
                width = vector.shape[1]
                check_near(vector[0].tolist(), wanted[number * width:(number + 1) * width], facts["tolerance"])
                context.eval(facts["tokens"])
                assert bytes(context.pooled()) == bytes(vector[0])
        vectors = model.embed([facts["tokens"], facts["tokens"][:9]])
        assert vectors.shape[0] == 2 and all(abs(sum(x * x for x in row.tolist()) - 1) < 1e-5 for row in vectors)


def vocab_cases(name: str) -> Iterator[Tuple[int, bytes, List[int], bytes]]:
    """Lines of FLAGS TEXT : TOKENS : BYTES, texts in hexadecimal."""
    for line in (GOLDEN / "vocab" / f"{name}.cases").read_text().splitlines():
        match = re.fullmatch(r"(\d) ([0-9a-f]*) :([ \d]*?) ?: ?([0-9a-f]*)", line)
        assert match, line
        yield int(match[1]), bytes.fromhex(match[2]), [int(t) for t in match[3].split()], bytes.fromhex(match[4])


@pytest.mark.parametrize("name", [path.stem for path in sorted((GOLDEN / "vocab").glob("*.cases"))])
def test_tokens_agree_with_the_reference(name: str) -> None:
    n_cases = 0
    with lm.Model(GOLDEN / "vocab" / f"{name}.gguf", vocab_only=True) as model:
        for flags, data, tokens, back in vocab_cases(name):
            try:
                text = data.decode()
            except UnicodeDecodeError:
                continue  # Python's texts are well-formed
            assert model.tokenize(text, add_special=bool(flags & 1), parse_special=bool(flags & 2)) == tokens
            assert model.detokenize_bytes(tokens, special=True) == back
            stream = model.text_stream(special=True)
            streamed = "".join(map(stream.next, tokens)) + stream.end()
            assert streamed.encode() == b"".join(model.token_piece(t, special=True) for t in tokens).decode("utf-8", "replace").encode()
            n_cases += 1
    assert n_cases > 20


@pytest.mark.parametrize("case", json.loads((GOLDEN / "chat/templates.json").read_text()), ids=lambda case: str(case["name"])[:24].strip())
def test_templates_render_as_the_reference(case: Dict[str, Any]) -> None:
    with lm.Chat(case["template"]) as chat:
        if "error" in case:
            with pytest.raises(lm.Error) as raised:
                chat.render_inputs(case["context"])
            if case["error"]["type"] == "raise_exception":
                assert isinstance(raised.value, lm.RaisedError) and raised.value.message == case["error"]["message"]
            return
        prompt = chat.render_inputs(case["context"], now=datetime.datetime(2026, 1, 2, 3, 4, 5))
        assert prompt.text == case["expected"]
        assert [span.start for span in prompt.spans[1:]] == [span.end for span in prompt.spans[:-1]]


def parsed(family: str, tools: Any, case: Dict[str, Any], pieces: Sequence[str]) -> Tuple[Dict[str, Any], List[lm.Delta]]:
    with lm.ChatParser(family, generation_prompt=case["generation_prompt"], tools=tools) as parser:
        deltas = [delta for piece in pieces for delta in parser.feed(piece)] + parser.finish(cut_off=not case["finished"])
        return parser.result(), deltas


@pytest.mark.parametrize("group", [pytest.param(g, id=g["family"]) for g in json.loads((GOLDEN / "chat/parsers.json").read_text())])
def test_parsers_read_as_expected(group: Dict[str, Any]) -> None:
    for case in group["cases"]:
        text = case["text"]
        result, _ = parsed(group["family"], group["tools"], case, [text])
        calls = [dict(name=call["name"], arguments=json.loads(call["arguments"])) for call in result["tool_calls"] if not call.get("incomplete")]
        wanted = [call for call in case["expect"]["tool_calls"] if not call.get("incomplete")]
        assert [call["name"] for call in calls] == [call["name"] for call in wanted], case["name"]
        assert [call["arguments"] for call in calls] == [call.get("arguments", {}) for call in wanted], case["name"]
        assert result["content"] == case["expect"]["content"], case["name"]
        assert result["reasoning_content"] == case["expect"]["reasoning_content"], case["name"]
        for pieces in (list(text), [text[:len(text) // 2], text[len(text) // 2:]]):
            again, deltas = parsed(group["family"], group["tools"], case, pieces)
            assert again == result, case["name"]
            assert "".join(d.text for d in deltas if d.kind == lm.DeltaKind.CONTENT) == result["content"]


def viable(matcher: lm.GrammarMatcher, text: str) -> int:
    """How many leading characters could begin a text of the grammar."""
    data = text.encode("utf-8", "surrogatepass")
    n = matcher.accept_bytes(data)
    return len(data[:n].decode("utf-8", "ignore"))


@pytest.mark.parametrize("case", [pytest.param(c, id=c["name"]) for c in json.loads((GOLDEN / "grammar/gbnf.json").read_text())])
def test_grammars_accept_what_they_describe(case: Dict[str, Any]) -> None:
    if "error" in case:
        with pytest.raises(lm.Error):
            lm.Grammar.from_gbnf(case["grammar"])
        return
    with lm.Grammar.from_gbnf(case["grammar"]) as grammar, grammar.matcher() as matcher:
        for text in case["accept"]:
            matcher.reset()
            assert viable(matcher, text) == len(text) and matcher.is_complete, text
        for item in case["reject"]:
            matcher.reset()
            assert viable(matcher, item["text"]) == item["viable"], item
            assert item["viable"] < len(item["text"]) or not matcher.is_complete, item


@pytest.mark.parametrize("case", [pytest.param(c, id=c["name"]) for c in json.loads((GOLDEN / "grammar/schema.json").read_text())])
def test_schemas_accept_their_instances(case: Dict[str, Any]) -> None:
    if case["level"] == "error":
        with pytest.raises(lm.Error):
            lm.Grammar.from_json_schema(case["schema"])
        return
    with lm.Grammar.from_json_schema(case["schema"]) as grammar, grammar.matcher() as matcher:
        for text, is_valid in [(t, True) for t in case["valid"]] + [(t, False) for t in case["invalid"]]:
            matcher.reset()
            data = text.encode("utf-8", "surrogatepass")
            assert (matcher.accept_bytes(data) == len(data) and matcher.is_complete) == is_valid, text
