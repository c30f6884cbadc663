#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write lm/_raw.py, the ctypes layer, from the public headers.

usage: write_raw.py INCLUDE_LM OUTPUT [DEPFILE]

Every struct is a ctypes.Structure that checks whole numbers, every enum an IntEnum whose members lost their common prefix, every LM_X_INIT a function
that gives a filled struct, every function an attribute with argument and result types. Handles are pointers to empty structs, so
that one kind is not taken for another. Texts: a `const char *` parameter takes bytes; everywhere else texts are pointers to
char, since many of them have a length and no NUL.
"""
import keyword
import os
import pathlib
import sys
from typing import Any, Dict, List

from declarations import BASE_TYPES, Array, Declarations, Function, Initialiser, Name, Pointer, Type
from preprocess import HeaderError

CTYPES = {"char": "c_char", "float": "c_float", "double": "c_double", "int8_t": "c_int8", "uint8_t": "c_uint8", "int16_t": "c_int16",
          "uint16_t": "c_uint16", "int32_t": "c_int32", "uint32_t": "c_uint32", "int64_t": "c_int64", "uint64_t": "c_uint64",
          "size_t": "c_size_t", "intptr_t": "c_ssize_t", "uintptr_t": "c_size_t"}
HEAD = '''\
# SPDX-License-Identifier: MIT
"""The C interface as ctypes sees it. Written by bindings/python/write_raw.py from include/lm; not to be edited."""
from ctypes import (CFUNCTYPE, POINTER, c_char, c_char_p, c_double, c_float, c_int, c_int8, c_int16, c_int32, c_int64, c_size_t,
                    c_ssize_t, c_uint8, c_uint16, c_uint32, c_uint64, c_void_p, sizeof)
from enum import IntEnum
from typing import Any, Callable, Optional

from ._arguments import TEXT, Structure, Union, checked
from ._library import library


def _function(name: str, result: Any, *parameters: Any, **checks: Any) -> Any:
    found = getattr(library, name)
    found.restype = result
    found.argtypes = parameters
    return checked(found, {int(place[1:]): check for place, check in checks.items()})


'''


class Writer:
    def __init__(self, declarations: Declarations) -> None:
        self.d = declarations

    def resolve(self, declared: Type) -> Type:
        """Without typedefs."""
        while isinstance(declared, Name) and declared.name in self.d.typedefs:
            declared = self.d.typedefs[declared.name]
        return declared

    def ctype(self, declared: Type, is_parameter: bool = False, is_callback_result: bool = False) -> str:
        """The ctypes expression of a type."""
        declared = self.resolve(declared)
        if isinstance(declared, Array):
            return f"({self.ctype(declared.of)} * {declared.length})"
        if isinstance(declared, Function):
            result = self.ctype(declared.returns, is_callback_result=True)
            return f"CFUNCTYPE({', '.join([result] + [self.ctype(p) for _, p in declared.parameters])})"
        if isinstance(declared, Pointer):
            to = self.resolve(declared.to)
            if isinstance(to, Function):
                return self.ctype(to)
            if is_callback_result or (isinstance(to, Name) and to.name == "void"):
                return "c_void_p"
            if is_parameter and to == Name("char", True):
                return "c_char_p"
            return f"POINTER({self.ctype(to)})"
        if declared.name == "void":
            return "None"
        if declared.name in self.d.enums:
            return "c_int"
        if declared.name in BASE_TYPES:
            return CTYPES[declared.name]
        if declared.name in self.d.structs or declared.name in self.d.opaque:
            return declared.name
        raise HeaderError(f"unknown type {declared.name}")

    def hint(self, declared: Type, is_parameter: bool = False) -> str:
        """The type that Python code sees."""
        declared = self.resolve(declared)
        if isinstance(declared, Pointer) and is_parameter and self.resolve(declared.to) == Name("char", True):
            return "Optional[bytes]"
        if isinstance(declared, Array) and declared.of == Name("char"):
            return "bytes"
        if not isinstance(declared, Name):
            return "Any"
        if declared.name in ("float", "double"):
            return "float"
        if declared.name == "void":
            return "None"
        return declared.name if declared.name in self.d.structs else "int"

    # ---- parts of the file ----

    def enum(self, name: str, values: Dict[str, int]) -> List[str]:
        prefix = os.path.commonprefix(list(values)) if len(values) > 1 else name.upper() + "_"
        prefix = prefix[:prefix.rfind("_") + 1]
        title = "".join(word.capitalize() for word in name.split("_")[1:])  # what repr shows
        lines = [f"class {title}(IntEnum):", f'    """The numbers of {name}."""', ""]
        for enumerator, value in values.items():
            member = enumerator[len(prefix):]
            lines.append(f"    {member[4:] if member.startswith('ERR_') else member} = {value}")
        return lines + ["", "", f"{name} = {title}", "", ""]

    def classes(self) -> List[str]:
        lines: List[str] = []
        for name in self.d.opaque:
            lines += [f"class {name}(Structure):", "    _fields_ = []", "", ""]
        for struct in self.d.structs.values():
            lines.append(f"class {struct.name}({'Union' if struct.kind == 'union' else 'Structure'}):")
            lines += [f"    {member}: {self.hint(declared)}" for member, declared in struct.members if not keyword.iskeyword(member)] + ["", ""]
        for struct in self.d.structs.values():
            lines.append(f"{struct.name}._fields_ = [")
            lines += [f"    ({member!r}, {self.ctype(declared)})," for member, declared in struct.members] + ["]"]
        return lines + ["", ""]

    def assignments(self, struct: str, values: List[Any], place: str) -> List[str]:
        """Statements for the members that are not zero."""
        members = self.d.structs[struct].members
        if len(values) > len(members):
            raise HeaderError(f"the initialiser of {struct} has too many values")
        lines: List[str] = []
        for (member, declared), value in zip(members, values):
            where = f"{place}.{member}"
            if isinstance(value, list):
                inner = self.resolve(declared)
                if not isinstance(inner, Name):
                    raise HeaderError(f"{struct}.{member}: braces around something that is no struct")
                lines += self.assignments(inner.name, value, where)
            elif value == "sizeof" or isinstance(value, tuple):
                lines.append(f"{where} = sizeof({struct if value == 'sizeof' else value[1]})")
            elif value:
                lines.append(f"{where} = {value!r}")
        return lines

    def initialiser(self, name: str, what: Initialiser) -> List[str]:
        body = self.assignments(what.struct, what.values, "made")
        return [f"def {name}() -> {what.struct}:", f"    made = {what.struct}()"] + [f"    {line}" for line in body] + ["    return made", "", ""]

    def function(self, name: str, declared: Function) -> str:
        hints = ", ".join(self.hint(p, True) for _, p in declared.parameters)
        types = [self.ctype(declared.returns)] + [self.ctype(p, is_parameter=True) for _, p in declared.parameters]
        return f"{name}: Callable[[{hints}], {self.hint(declared.returns)}] = _function(\n    {', '.join([repr(name), *types, *self.checks(declared)])})"

    def checks(self, declared: Function) -> List[str]:
        """What of the arguments is checked: whole numbers, and texts that no size follows."""
        found: List[str] = []
        resolved = [(name, self.resolve(one)) for name, one in declared.parameters]
        for i, (name, one) in enumerate(resolved):
            kind = self.ctype(one, is_parameter=True)
            has_size = i + 1 < len(resolved) and resolved[i + 1][1] == Name("size_t")
            if kind.startswith(("c_int", "c_uint", "c_size", "c_ssize")):
                found.append(f"_{i}=({name!r}, {kind})")
            elif kind == "c_char_p" and not has_size:
                found.append(f"_{i}=({name!r}, TEXT)")
        return found

    def text(self) -> str:
        lines: List[str] = []
        for name, values in self.d.enums.items():
            lines += self.enum(name, values)
        lines += self.classes()
        for macro, what in self.d.initialisers.items():
            lines += self.initialiser(macro, what)
        lines += [f"{name} = {value!r}" for name, value in self.d.constants.items()] + [""]
        lines += [self.function(name, declared) for name, declared in self.d.functions.items()]
        return HEAD + "\n".join(lines) + "\n"


def main() -> None:
    folder, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    declarations = Declarations(folder)
    output.write_text(Writer(declarations).text(), encoding="utf-8")
    if len(sys.argv) > 3:
        files = " ".join(str(path) for path in declarations.files)
        pathlib.Path(sys.argv[3]).write_text(f"{output}: {files}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
