# SPDX-License-Identifier: MIT
"""Python functions as tools: their names, documentation and annotations as declarations, and calls of them."""
from __future__ import annotations

import functools
import inspect
import json
import re
import typing
from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple, Union

from ._arguments import dictionary
from ._schemas import SchemaWriter, value_of

Tool = Union[Callable[..., Any], Mapping[str, Any]]


class Function:
    """A function as a tool: its declaration, and calls with arguments as a model writes them."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.name, target = _described(function)
        if not re.fullmatch(r"[A-Za-z0-9_.-]+", self.name):
            raise TypeError(f"a tool needs a name: {function!r} has none")
        self._function = function
        try:
            self._hints = typing.get_type_hints(target, include_extras=True)
        except NameError as error:
            raise TypeError(f"the tool {self.name} has an annotation that cannot be read: {error}") from None
        writer = SchemaWriter()
        properties: Dict[str, Any] = {}
        required: List[str] = []
        for parameter in inspect.signature(function).parameters.values():
            if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                raise TypeError(f"the tool {self.name} has a parameter that cannot be given by name: {parameter.name}")
            if parameter.name not in self._hints:
                raise TypeError(f"the tool {self.name} needs an annotation of its parameter {parameter.name}")
            try:
                properties[parameter.name] = writer.of(self._hints[parameter.name])
            except TypeError as error:
                raise TypeError(f"the tool {self.name}, its parameter {parameter.name}: {error}") from None
            if parameter.default is parameter.empty:
                required.append(parameter.name)
        schema = writer.whole({"type": "object", "properties": properties, "required": required, "additionalProperties": False})
        self.declaration: Dict[str, Any] = {"type": "function", "function": {
            "name": self.name, "description": inspect.getdoc(target) or "", "parameters": schema}}

    def call(self, arguments: Union[str, Mapping[str, Any]]) -> Any:
        given = json.loads(arguments) if isinstance(arguments, str) else arguments
        return self._function(**{name: value_of(self._hints.get(name, Any), value) for name, value in given.items()})


def _described(function: Callable[..., Any]) -> Tuple[str, Any]:
    """The name of something that can be called, and what carries its documentation and annotations."""
    while isinstance(function, functools.partial):
        function = function.func
    if isinstance(function, type):
        raise TypeError(f"a tool is a function or a declaration, not a class: {function.__name__}")
    if inspect.isroutine(function):
        return function.__name__, function
    return type(function).__name__, getattr(type(function), "__call__")


def split(tools: Sequence[Tool]) -> Tuple[List[Any], Dict[str, Function]]:
    """Declarations of all tools, and the functions among them by name."""
    declarations: List[Any] = []
    functions: Dict[str, Function] = {}
    for tool in tools:
        if not callable(tool):
            declarations.append(dictionary("tools", tool))
            continue
        function = Function(tool)
        if function.name in functions:
            raise ValueError(f"two tools are named {function.name}")
        functions[function.name] = function
        declarations.append(function.declaration)
    return declarations, functions
