# SPDX-License-Identifier: MIT
"""Python's functions as tools and its types as schemas: what is declared, what a function is given, what the model is told."""
from __future__ import annotations

import asyncio
import enum
import functools
import json
import threading
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, FrozenSet, List, Literal, Mapping, NewType, Optional, Sequence, Set, Tuple, TypedDict, Union

import pytest

import lm
from lm._schemas import json_text, schema_of, value_of
from lm._tools import Function

Metres = NewType("Metres", float)


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@dataclass
class Place:
    name: str
    height: Metres
    tags: List[str] = field(default_factory=list)


@dataclass
class Nested:
    place: Place
    colour: Optional[Colour] = None


@dataclass
class Endless:
    next: Optional[Endless]


class Options(TypedDict, total=False):
    deep: bool
    colour: Colour


def parameters(function: Callable[..., Any]) -> Dict[str, Any]:
    found: Dict[str, Any] = Function(function).declaration["function"]["parameters"]
    return found


def called(function: Callable[..., Any], **arguments: Any) -> Any:
    return Function(function).call(json.dumps(arguments))


def test_annotations_become_schemas() -> None:
    def tool(text: str, n: Optional[int], ratio: float = 0.5, *, names: List[str] = [], kind: Literal["x", "y"] = "x", more: Dict[str, bool] = {},
             anything: Any = None) -> str:
        """What it does.

        And how."""
        return text

    found = Function(tool).declaration["function"]
    assert found["name"] == "tool" and found["description"] == "What it does.\n\nAnd how." and found["parameters"]["required"] == ["text", "n"]
    properties = found["parameters"]["properties"]
    assert properties["n"] == {"anyOf": [{"type": "integer"}, {"type": "null"}]} and properties["kind"] == {"enum": ["x", "y"]}
    assert properties["names"] == {"type": "array", "items": {"type": "string"}} and properties["anything"] == {}
    assert properties["more"]["additionalProperties"] == {"type": "boolean"}


#: type -> its schema, a value of JSON, and that value as the type
TYPES: List[Tuple[Any, Dict[str, Any], Any, Any]] = [
    (float, {"type": "number"}, 2, 2.0),
    (Metres, {"type": "number"}, 2, 2.0),
    (Colour, {"enum": ["red", "blue"]}, "blue", Colour.BLUE),
    (Level, {"enum": [1, 2]}, 2, Level.HIGH),
    (Literal[Colour.RED, "green"], {"enum": ["red", "green"]}, "red", Colour.RED),
    (Tuple[int, str], {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "minItems": 2, "maxItems": 2}, [1, "a"], (1, "a")),
    (Tuple[float, ...], {"type": "array", "items": {"type": "number"}}, [1, 2], (1.0, 2.0)),
    (Set[str], {"type": "array", "items": {"type": "string"}}, ["a", "a"], {"a"}),
    (FrozenSet[int], {"type": "array", "items": {"type": "integer"}}, [1], frozenset([1])),
    (Sequence[Colour], {"type": "array", "items": {"enum": ["red", "blue"]}}, ["red"], [Colour.RED]),
    (List, {"type": "array", "items": {}}, [1, "a"], [1, "a"]),
    (Dict, {"type": "object"}, {"a": 1}, {"a": 1}),
    (Mapping[str, Level], {"type": "object", "additionalProperties": {"enum": [1, 2]}}, {"a": 1}, {"a": Level.LOW}),
    (Union[int, Colour, None], {"anyOf": [{"type": "integer"}, {"enum": ["red", "blue"]}, {"type": "null"}]}, "red", Colour.RED),
    (Union[List[int], Place], {"anyOf": [{"type": "array", "items": {"type": "integer"}}, schema_of(Place)]}, {"name": "a", "height": 1}, Place("a", Metres(1.0))),
    (Place, {"type": "object", "properties": {"name": {"type": "string"}, "height": {"type": "number"}, "tags": {"type": "array", "items": {"type": "string"}}},
             "required": ["name", "height"], "additionalProperties": False}, {"name": "a", "height": 3}, Place("a", Metres(3.0), [])),
    (Options, {"type": "object", "properties": {"deep": {"type": "boolean"}, "colour": {"enum": ["red", "blue"]}}, "required": [],
               "additionalProperties": False}, {"colour": "red"}, {"colour": Colour.RED}),
]


@pytest.mark.parametrize("i", range(len(TYPES)))
def test_types_have_schemas_and_values(i: int) -> None:
    kind, schema, given, wanted = TYPES[i]
    assert schema_of(kind) == schema
    found = value_of(kind, given)
    assert found == wanted and type(found) is type(wanted)
    lm.Grammar.from_json_schema(kind).close()
    with lm.Grammar.from_json_schema(schema).matcher() as matcher:
        text = json.dumps(given)
        assert matcher.accept_bytes(text) == len(text) and matcher.is_complete


def test_functions_get_what_they_are_annotated_with() -> None:
    def tool(nested: Nested, level: Level = Level.LOW, options: Optional[Options] = None) -> Any:
        return nested, level, options

    given = {"place": {"name": "a", "height": 2}, "colour": "red"}
    assert called(tool, nested=given) == (Nested(Place("a", Metres(2.0), []), Colour.RED), Level.LOW, None)
    assert called(tool, nested=given, level=2, options={"deep": True})[1:] == (Level.HIGH, {"deep": True})


def test_annotated_types_are_described() -> None:
    annotated = pytest.importorskip("typing_extensions").Annotated
    kind = annotated[int, "how many", object()]
    assert schema_of(kind) == {"type": "integer", "description": "how many"} and value_of(annotated[Colour, "which"], "red") is Colour.RED


def test_what_can_be_called_is_a_tool() -> None:
    class Adder:
        def __call__(self, a: int) -> int:
            """Adds one."""
            return a + 1

        def method(self, a: int) -> int:
            """Adds two."""
            return a + 2

    def plain(a: int, b: int) -> int:
        """Adds both."""
        return a + b

    @functools.wraps(plain)
    def wrapped(*arguments: Any, **named: Any) -> Any:
        return plain(*arguments, **named)

    cases: List[Tuple[Callable[..., Any], str, str, Dict[str, int], int]] = [
        (Adder(), "Adder", "Adds one.", {"a": 1}, 2), (Adder().method, "method", "Adds two.", {"a": 1}, 3),
        (functools.partial(plain, b=3), "plain", "Adds both.", {"a": 1}, 4), (wrapped, "plain", "Adds both.", {"a": 1, "b": 1}, 2),
        (functools.lru_cache()(plain), "plain", "Adds both.", {"a": 1, "b": 1}, 2)]
    for function, name, description, arguments, wanted in cases:
        tool = Function(function)
        assert (tool.name, tool.declaration["function"]["description"], tool.call(arguments)) == (name, description, wanted)


def test_what_is_no_tool_is_refused_by_name(chat_model: lm.Model) -> None:
    def bare(x) -> None: ...  # type: ignore[no-untyped-def]
    def many(*x: int) -> None: ...
    def named(**x: int) -> None: ...
    def positional(x: int, /) -> None: ...
    def odd(x: object) -> None: ...
    def keys(x: Dict[int, str]) -> None: ...
    def endless(x: Endless) -> None: ...
    def twice(x: int) -> None: ...
    def unknown(x: Missing) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    for function, words in ((bare, "bare needs an annotation of its parameter x"), (many, "by name: x"), (named, "by name: x"),
                            (positional, "by name: x"), (odd, "the tool odd, its parameter x: .*object"), (keys, "keys, its parameter x"),
                            (endless, "contains itself"), (unknown, "the tool unknown .*Missing"), (lambda x: x, "needs a name"),
                            (Place, "not a class: Place"), (5, "tools: dict is needed, not int")):
        with pytest.raises(TypeError, match=words):
            chat_model.chat(tools=[function])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="two tools are named twice"):
        chat_model.chat(tools=[twice, twice])
    for schema in (object(), [1], None, object):
        with pytest.raises(TypeError, match="schema: .* has no JSON Schema"):
            lm.Grammar.from_json_schema(schema)  # type: ignore[arg-type]


def test_results_are_told_as_json() -> None:
    value = {"places": [Place("a", Metres(1.0))], "colour": Colour.RED, "levels": {Level.LOW}, "pair": (1, None)}
    assert json.loads(json_text(value, "t")) == {"places": [{"name": "a", "height": 1.0, "tags": []}], "colour": "red", "levels": [1], "pair": [1, None]}
    assert json_text("text as it is", "t") == "text as it is" and json_text(None, "t") == "null" and json_text(Colour.RED, "t") == '"red"'
    with pytest.raises(TypeError, match="the tool t gave something of type object"):
        json_text(object(), "t")


def test_models_of_pydantic_are_types_too(chat_model: lm.Model) -> None:
    pydantic = pytest.importorskip("pydantic")

    class Part(pydantic.BaseModel):  # type: ignore[misc,name-defined]
        size: int = pydantic.Field(ge=1, le=3, description="how large")

    class Whole(pydantic.BaseModel):  # type: ignore[misc,name-defined]
        parts: List[Part] = pydantic.Field(max_length=2)

    Whole.model_rebuild(_types_namespace={"Part": Part, "List": List})

    def tool(whole: Any, part: Any = None) -> Any:
        return whole.parts[0].size

    tool.__annotations__ = {"whole": Whole, "part": Optional[Part]}
    found = parameters(tool)
    assert set(found["$defs"]) == {"Part"} and found["properties"]["whole"]["properties"]["parts"]["items"] == {"$ref": "#/$defs/Part"}
    assert called(tool, whole={"parts": [{"size": 2}]}) == 2
    with lm.Grammar.from_json_schema(found).matcher() as matcher:
        assert matcher.accept_bytes('{"whole": {"parts": [{"size": 3}]}}') == 35 and matcher.is_complete
    with chat_model.chat(seed=1, n_ctx=2048) as chat:
        reply = chat.ask("a part", schema=Part, max_tokens=200)
        assert 1 <= reply.parse(Part).size <= 3
    assert json.loads(json_text([Part(size=1)], "t")) == [{"size": 1}]


def test_answers_are_parsed_as_the_type_that_was_asked_for(chat_model: lm.Model) -> None:
    with chat_model.chat(seed=1, n_ctx=2048) as chat:
        assert chat.ask("which?", schema=Colour, max_tokens=100).parse(Colour) in Colour
        options = chat.ask("how?", schema=Options, max_tokens=200).parse(Options)
        assert set(options) <= {"deep", "colour"} and isinstance(options.get("colour", Colour.RED), Colour)
    assert json.loads(chat_model.generate("a", schema=Level, seed=1, max_tokens=20).result()) in (1, 2)


def test_asynchronous_tools_run_on_the_loop_that_waits(chat_model: lm.Model) -> None:
    loops: List[Any] = []

    async def look(up: bool) -> str:
        """Look."""
        loops.append((asyncio.get_running_loop(), threading.current_thread()))
        await asyncio.sleep(0)
        return "sky"

    def asked() -> lm.Conversation:
        return chat_model.chat(seed=1, tools=[look], max_rounds=2, n_ctx=4096)

    async def main() -> None:
        with asked() as chat:
            await chat.send("look", tool_choice=lm.ToolChoice.REQUIRED, max_tokens=100)
            assert {loop for loop, _ in loops} == {asyncio.get_running_loop()} and chat.messages[2]["content"] == "sky"
        del loops[:]
        with asked() as chat:  # a blocking call from inside of a loop
            chat.ask("look", tool_choice=lm.ToolChoice.REQUIRED, max_tokens=100)
            assert loops and asyncio.get_running_loop() not in {loop for loop, _ in loops} and chat.messages[2]["content"] == "sky"

    asyncio.run(main())
    del loops[:]
    with asked() as chat:
        chat.ask("look", tool_choice=lm.ToolChoice.REQUIRED, max_tokens=100)
        assert loops and chat.messages[2]["content"] == "sky"


def test_cancelling_a_task_ends_its_asynchronous_tool(chat_model: lm.Model) -> None:
    ended: List[str] = []

    async def main() -> None:
        begun = asyncio.Event()

        async def wait(up: bool) -> str:
            begun.set()
            try:
                await asyncio.Event().wait()  # for ever
            finally:
                ended.append("tool")
            return ""

        with chat_model.chat(seed=1, tools=[wait], n_ctx=4096) as chat:
            answer = chat.send("go", tool_choice=lm.ToolChoice.REQUIRED, max_tokens=300)

            async def collect() -> lm.Reply:
                return await answer

            task = asyncio.create_task(collect())
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert ended == ["tool"] and chat.messages[-1]["content"] == "cancelled" and answer._is_closed

    asyncio.run(main())


def test_what_an_asynchronous_tool_raises_goes_on(chat_model: lm.Model) -> None:
    async def broken(up: bool) -> str:
        raise OverflowError("mine")

    async def main() -> None:
        with chat_model.chat(seed=1, tools=[broken], n_ctx=4096) as chat:
            with pytest.raises(OverflowError, match="mine"):
                await chat.send("go", tool_choice=lm.ToolChoice.REQUIRED, max_tokens=300)
            assert chat.messages == []

    asyncio.run(main())
