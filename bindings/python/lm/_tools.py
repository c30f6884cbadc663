# SPDX-License-Identifier: MIT
"""Python functions as tools: their names, documentation and annotations as a JSON Schema."""
from __future__ import annotations

import inspect
import json
import typing
from typing import Any, Callable, Dict, List, Literal, Mapping, Sequence, Tuple, Union

Tool = Union[Callable[..., Any], Mapping[str, Any]]
_SIMPLE: Dict[Any, Dict[str, Any]] = {str: {"type": "string"}, int: {"type": "integer"}, float: {"type": "number"},
                                      bool: {"type": "boolean"}, type(None): {"type": "null"}, Any: {}, dict: {"type": "object"},
                                      list: {"type": "array"}}


def schema_of(annotation: Any) -> Dict[str, Any]:
    """The JSON Schema of an annotation: str, int, float, bool, None, list, dict, Literal, Optional and Union of these."""
    if annotation in _SIMPLE:
        return dict(_SIMPLE[annotation])
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin in (list, Sequence, typing.get_origin(Sequence[int])):
        return {"type": "array", "items": schema_of(arguments[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": schema_of(arguments[1])}
    if origin is Union or str(origin) == "<class 'types.UnionType'>":
        return {} if Any in arguments else {"anyOf": [schema_of(one) for one in arguments]}  # before 3.11 a default of None makes a Union
    raise TypeError(f"{annotation!r} cannot be the type of a tool's parameter")


def declaration_of(function: Callable[..., Any]) -> Dict[str, Any]:
    """The tool as a model's template shows it."""
    hints = typing.get_type_hints(function)
    properties: Dict[str, Any] = {}
    required: List[str] = []
    name = getattr(function, "__name__", type(function).__name__)
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise TypeError(f"the tool {name} has a parameter that cannot be given by name: {parameter.name}")
        if parameter.name not in hints:
            raise TypeError(f"the tool {name} needs an annotation of its parameter {parameter.name}")
        properties[parameter.name] = schema_of(hints[parameter.name])
        if parameter.default is parameter.empty:
            required.append(parameter.name)
    schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return {"type": "function", "function": {"name": name, "description": inspect.getdoc(function) or "", "parameters": schema}}


def split(tools: Sequence[Tool]) -> Tuple[List[Any], Dict[str, Callable[..., Any]]]:
    """Declarations of all tools, and the functions among them by name."""
    declarations: List[Any] = []
    functions: Dict[str, Callable[..., Any]] = {}
    for tool in tools:
        if callable(tool):
            declarations.append(declaration_of(tool))
            functions[declarations[-1]["function"]["name"]] = tool
        else:
            declarations.append(tool)
    return declarations, functions


def result_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
