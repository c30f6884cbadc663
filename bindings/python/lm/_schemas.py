# SPDX-License-Identifier: MIT
"""Python's types as JSON Schema, and values of JSON as those types: parameters of tools, and answers that keep to a type."""
from __future__ import annotations

import collections.abc
import dataclasses
import enum
import json
import sys
import types
import typing
from typing import Any, Dict, List, Literal, Mapping, Optional, Tuple, Union

from ._arguments import json_bytes

_SIMPLE: Dict[Any, Dict[str, Any]] = {str: {"type": "string"}, int: {"type": "integer"}, float: {"type": "number"},
                                      bool: {"type": "boolean"}, type(None): {"type": "null"}, Any: {}, dict: {"type": "object"},
                                      list: {"type": "array"}}
_LISTS = (list, set, frozenset, collections.abc.Sequence, collections.abc.Iterable, collections.abc.Collection, collections.abc.Set)
_MAPPINGS = (dict, collections.abc.Mapping)
_OPTIONS = (Union, getattr(types, "UnionType", Union))


class SchemaWriter:
    """The schemas of one document. definitions are what they refer to as #/$defs/NAME."""

    def __init__(self) -> None:
        self.definitions: Dict[str, Any] = {}
        self._within: List[Any] = []

    def whole(self, schema: Dict[str, Any]) -> Dict[str, Any]:
        """A schema as the root of the document."""
        return {**schema, "$defs": self.definitions} if self.definitions else schema

    def of(self, kind: Any) -> Dict[str, Any]:
        """The schema of a type: str, int, float, bool, None, list, tuple, set, dict, Literal, Optional, Union, Enum, Annotated with a text
        that describes, dataclasses, TypedDict, and what pydantic describes."""
        kind = _bare(kind)
        if _is_pydantic(kind):
            return self._pydantic(kind)
        origin, arguments = typing.get_origin(kind), typing.get_args(kind)
        if hasattr(kind, "__metadata__"):  # Annotated
            described = [one for one in kind.__metadata__ if isinstance(one, str)]
            return {**self.of(kind.__origin__), **({"description": " ".join(described)} if described else {})}
        if isinstance(kind, collections.abc.Hashable) and kind in _SIMPLE:
            return dict(_SIMPLE[kind])
        if origin is Literal:
            return {"enum": [self._constant(one) for one in arguments]}
        if origin is tuple and arguments and arguments[-1] is not Ellipsis:
            items = [self.of(one) for one in arguments]
            return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
        if origin in _LISTS or origin is tuple:
            return {"type": "array", "items": self.of(arguments[0] if arguments else Any)}
        if origin in _MAPPINGS and arguments[:1] in ((), (str,)):
            return {"type": "object", "additionalProperties": self.of(arguments[1])} if arguments else {"type": "object"}
        if origin in _OPTIONS:
            return {} if Any in arguments else {"anyOf": [self.of(one) for one in arguments]}  # before 3.11 a default of None makes a Union
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            return {"enum": [self._constant(one) for one in kind]}
        members = _members(kind)
        if members is not None:
            return self._object(kind, members)
        raise TypeError(f"{kind!r} has no JSON Schema")

    def _object(self, kind: Any, members: Dict[str, Tuple[Any, bool]]) -> Dict[str, Any]:
        if kind in self._within:
            raise TypeError(f"{kind!r} contains itself")
        self._within.append(kind)
        properties = {name: self.of(member) for name, (member, _) in members.items()}
        self._within.pop()
        return {"type": "object", "properties": properties, "required": [name for name, (_, is_required) in members.items() if is_required],
                "additionalProperties": False}

    def _constant(self, value: Any) -> Any:
        found = value.value if isinstance(value, enum.Enum) else value
        if not isinstance(found, (str, int, float, bool, type(None))):
            raise TypeError(f"{value!r} is no value of JSON")
        return found

    def _pydantic(self, kind: Any) -> Dict[str, Any]:
        schema: Dict[str, Any] = _adapter(kind).json_schema()
        for name, definition in schema.pop("$defs", {}).items():
            if self.definitions.setdefault(name, definition) != definition:
                raise TypeError(f"there are two definitions of {name}")
        return schema


def schema_of(kind: Any) -> Dict[str, Any]:
    """The JSON Schema of a type, as a document."""
    writer = SchemaWriter()
    return writer.whole(writer.of(kind))


def schema_bytes(schema: Any) -> bytes:
    """A schema for C: JSON text, what json.loads makes of it, or a type."""
    if not isinstance(schema, (str, bool, Mapping)):
        try:
            schema = schema_of(schema)
        except TypeError as error:
            raise TypeError(f"schema: {error}") from None
    return json_bytes("schema", schema)


def value_of(kind: Any, value: Any) -> Any:
    """A value of JSON as the type that its schema was made of."""
    kind = _bare(kind)
    if _is_pydantic(kind):
        return _adapter(kind).validate_python(value)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if hasattr(kind, "__metadata__"):
        return value_of(kind.__origin__, value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if origin is Literal:
        return next((one for one in arguments if isinstance(one, enum.Enum) and one.value == value), value)
    if origin is tuple and arguments and isinstance(value, list):
        kinds = [arguments[0]] * len(value) if arguments[-1] is Ellipsis else arguments
        return tuple(value_of(one, item) for one, item in zip(kinds, value))
    if origin in _LISTS and arguments and isinstance(value, list):
        items = [value_of(arguments[0], item) for item in value]
        return frozenset(items) if origin is frozenset else set(items) if origin in (set, collections.abc.Set) else items
    if origin in _MAPPINGS and arguments and isinstance(value, dict):
        return {key: value_of(arguments[1], item) for key, item in value.items()}
    if origin in _OPTIONS:
        return next((value_of(one, value) for one in arguments if _fits(one, value)), value)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return kind(value)
    members = _members(kind)
    if members is not None and isinstance(value, dict):
        whole = {name: value_of(members[name][0], item) for name, item in value.items() if name in members}
        return kind(**whole) if not issubclass(kind, dict) else whole
    return value


def _fits(kind: Any, value: Any) -> bool:
    """Whether a value is one of the type's, as far as a choice among types needs it."""
    kind = _bare(kind)
    if hasattr(kind, "__metadata__"):
        return _fits(kind.__origin__, value)
    if _is_pydantic(kind):
        try:
            value_of(kind, value)
            return True
        except ValueError:
            return False
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return value in [one.value for one in kind]
    if typing.get_origin(kind) is Literal:
        return value in [one.value if isinstance(one, enum.Enum) else one for one in typing.get_args(kind)]
    members = _members(kind)
    if members is not None:
        return isinstance(value, dict) and set(value) <= set(members) and all(
            name in value and _fits(member, value[name]) if is_required else True for name, (member, is_required) in members.items())
    origin = typing.get_origin(kind) or kind
    if origin is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if origin in _LISTS or origin is tuple:
        return isinstance(value, list)
    return origin is Any or type(value) is (dict if origin is collections.abc.Mapping else origin)


def _members(kind: Any) -> Optional[Dict[str, Tuple[Any, bool]]]:
    """name -> (type, whether it must be there), of dataclasses and TypedDicts."""
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = typing.get_type_hints(kind, include_extras=True)
        return {field.name: (hints[field.name], field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING)
                for field in dataclasses.fields(kind) if field.init}
    if isinstance(kind, type) and issubclass(kind, dict) and hasattr(kind, "__required_keys__"):
        hints = typing.get_type_hints(kind, include_extras=True)
        required: Any = getattr(kind, "__required_keys__")
        return {name: (hint, name in required) for name, hint in hints.items()}
    return None


def _bare(kind: Any) -> Any:
    """What stands behind NewType, a type alias, Required and NotRequired."""
    while True:
        if getattr(typing.get_origin(kind), "_name", "") in ("Required", "NotRequired", "ReadOnly"):
            kind = typing.get_args(kind)[0]
        elif hasattr(kind, "__supertype__"):
            kind = kind.__supertype__
        elif type(kind).__name__ == "TypeAliasType":
            kind = kind.__value__
        else:
            return kind


def _is_pydantic(kind: Any) -> bool:
    """Whether pydantic says what the type is: a model of its, or an annotation with one of its fields."""
    if isinstance(kind, type) and not typing.get_origin(kind):
        return hasattr(kind, "model_json_schema") and hasattr(kind, "model_validate")
    return any(type(one).__module__.startswith("pydantic") for one in getattr(kind, "__metadata__", ()))


def _adapter(kind: Any) -> Any:
    return sys.modules["pydantic"].TypeAdapter(kind)


def json_text(value: Any, name: str) -> str:
    """What a tool gave, for the model: text as it is, everything else as JSON."""
    if isinstance(value, str) and not isinstance(value, enum.Enum):
        return value

    def plain(one: Any) -> Any:
        if hasattr(one, "model_dump"):
            return one.model_dump(mode="json")
        if dataclasses.is_dataclass(one) and not isinstance(one, type):
            return {field.name: getattr(one, field.name) for field in dataclasses.fields(one)}
        if isinstance(one, Mapping):
            return dict(one)
        if isinstance(one, enum.Enum):
            return one.value
        if isinstance(one, (collections.abc.Sequence, collections.abc.Set)) and not isinstance(one, (bytes, bytearray)):
            return list(one)
        raise TypeError(f"the tool {name} gave something of type {type(one).__name__}, which JSON does not have")

    return json.dumps(value, ensure_ascii=False, default=plain)
