# SPDX-License-Identifier: MIT
"""The declarations of include/lm as Python values: enums, structs, functions, constants and initialisers.

The parser knows the C that public headers are written in and refuses everything else, so that nothing is bound by guess.
"""
import pathlib
import re
from typing import Any, Dict, List, NamedTuple, Optional, Tuple, Union

from preprocess import IDENTIFIER, HeaderError, Preprocessor

BASE_TYPES = {"void", "char", "float", "double", "int8_t", "uint8_t", "int16_t", "uint16_t", "int32_t", "uint32_t", "int64_t",
              "uint64_t", "size_t", "intptr_t", "uintptr_t"}


class Name(NamedTuple):
    """A base type, or a struct, union, enum or typedef of the headers."""
    name: str
    const: bool = False


class Pointer(NamedTuple):
    to: "Type"
    const: bool = False


class Array(NamedTuple):
    of: "Type"
    length: int


class Function(NamedTuple):
    returns: "Type"
    parameters: "List[Tuple[str, Type]]"


Type = Union[Name, Pointer, Array, Function]


class Struct(NamedTuple):
    name: str
    kind: str  # struct or union
    members: List[Tuple[str, Type]]


class Initialiser(NamedTuple):
    """What LM_X_INIT says: a value per member, lists for structs, None for NULL and "sizeof" for the size itself."""
    struct: str
    values: List[Any]


class Declarations:
    def __init__(self, folder: pathlib.Path, header: str = "lm.h") -> None:
        reader = Preprocessor(folder)
        self.tokens = reader.read(header)
        self.files = reader.files
        self.at = 0
        self.constants: Dict[str, Union[int, float]] = {}
        self.enums: Dict[str, Dict[str, int]] = {}
        self.enumerators: Dict[str, int] = {}
        self.structs: Dict[str, Struct] = {}
        self.opaque: List[str] = []
        self.typedefs: Dict[str, Type] = {}
        self.functions: Dict[str, Function] = {}
        self.initialisers: Dict[str, Initialiser] = {}
        while self.at < len(self.tokens):
            self.declaration()
        self.opaque = [name for name in self.opaque if name not in self.structs]
        for name, macro in reader.macros.items():
            if macro.parameters is None and macro.body:
                self.macro(name, reader.expand(macro.body))

    # ---- tokens ----

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1]

    def skip(self, token: str) -> bool:
        if self.peek() == token:
            self.at += 1
            return True
        return False

    def expect(self, token: str) -> None:
        if not self.skip(token):
            near = " ".join(self.tokens[max(0, self.at - 8):self.at + 4])
            raise HeaderError(f"{token} expected near: {near}")

    # ---- declarations ----

    def declaration(self) -> None:
        if self.skip(";"):
            return
        is_typedef = self.skip("typedef")
        base = self.specifier()
        if self.skip(";"):
            return
        name, declared = self.declarator(base)
        self.expect(";")
        if is_typedef:
            if declared != Name(name):
                self.typedefs[name] = declared
        elif isinstance(declared, Function):
            self.functions[name] = declared
        else:
            raise HeaderError(f"{name} is neither a type nor a function")

    def specifier(self, owner: str = "") -> Type:
        const = self.skip("const")
        word = self.take()
        if word == "enum":
            return Name(self.enum(), const)
        if word in ("struct", "union"):
            return Name(self.struct(word, owner), const)
        if not IDENTIFIER.match(word):
            raise HeaderError(f"a type expected, not {word}")
        const = self.skip("const") or const
        return Name(word, const)

    def enum(self) -> str:
        name = self.take()
        if self.skip("{"):
            values: Dict[str, int] = {}
            following = 0
            while not self.skip("}"):
                enumerator = self.take()
                if self.skip("="):
                    following = int(self.expression())
                values[enumerator] = following
                self.enumerators[enumerator] = following
                following += 1
                self.skip(",")
            self.enums[name] = values
        return name

    def struct(self, kind: str, owner: str) -> str:
        name = self.take() if IDENTIFIER.match(self.peek()) else ""
        if self.peek() != "{":
            if name not in self.opaque:
                self.opaque.append(name)
            return name
        self.expect("{")
        members: List[Tuple[str, Type]] = []
        begin = self.at
        name = name or f"{owner}_{self.member_after_braces(begin)}"
        while not self.skip("}"):
            base = self.specifier(name)
            while True:
                members.append(self.declarator(base))
                if not self.skip(","):
                    break
            self.expect(";")
        self.structs[name] = Struct(name, kind, members)
        return name

    def member_after_braces(self, at: int) -> str:
        """The name of the member whose struct, opened before `at`, has no name of its own."""
        depth = 1
        while depth:
            depth += {"{": 1, "}": -1}.get(self.tokens[at], 0)
            at += 1
        return self.tokens[at]

    def declarator(self, base: Type) -> Tuple[str, Type]:
        while self.skip("*"):
            base = Pointer(base, self.skip("const"))
        inner: Optional[int] = None
        if self.peek() == "(" and self.tokens[self.at + 1] == "*":
            inner = self.at + 1
            self.at = self.closing(self.at)
            name = ""
        else:
            name = self.take() if IDENTIFIER.match(self.peek()) else ""
        counts = []
        if self.peek() == "(":
            base = Function(base, self.parameters())
        while self.skip("["):
            counts.append(int(self.expression()))
            self.expect("]")
        for count in reversed(counts):
            base = Array(base, count)
        if inner is not None:
            after, self.at = self.at, inner
            name, base = self.declarator(base)
            self.at = after
        return name, base

    def closing(self, at: int) -> int:
        depth = 0
        while True:
            depth += {"(": 1, ")": -1}.get(self.tokens[at], 0)
            at += 1
            if depth == 0:
                return at

    def parameters(self) -> List[Tuple[str, Type]]:
        self.expect("(")
        found: List[Tuple[str, Type]] = []
        if self.peek() == "void" and self.tokens[self.at + 1] == ")":
            self.at += 1
        while not self.skip(")"):
            found.append(self.declarator(self.specifier()))
            self.skip(",")
        return found

    # ---- values ----

    def expression(self, level: int = 0) -> Union[int, float]:
        levels = (("|",), ("&",), ("<<", ">>"), ("+", "-"), ("*", "/"))
        if level == len(levels):
            return self.operand()
        value = self.expression(level + 1)
        while self.peek() in levels[level]:
            operator, right = self.take(), self.expression(level + 1)
            value = eval(f"a {'//' if operator == '/' else operator} b", {}, {"a": value, "b": right})
        return value

    def operand(self) -> Union[int, float]:
        if self.skip("-"):
            return -self.operand()
        if self.skip("("):
            if self.peek() in BASE_TYPES or self.peek() in self.typedefs:
                self.take()
                self.expect(")")
                return self.operand()
            value = self.expression()
            self.expect(")")
            return value
        word = self.take()
        if word in self.enumerators:
            return self.enumerators[word]
        if re.fullmatch(r"U?INT\d+_C", word):
            return self.operand()
        if re.fullmatch(r"(?:0[xX][0-9a-fA-F]+|\d+)[uUlL]*", word):
            return int(word.rstrip("uUlL"), 0)
        if re.fullmatch(r"[\d.]+(?:e[+-]?\d+)?f?", word):
            return float(word.rstrip("f"))
        raise HeaderError(f"not a constant: {word}")

    def macro(self, name: str, body: List[str]) -> None:
        """A constant or an initialiser; macros that are neither, such as LM_API, are not for callers."""
        self.tokens, self.at = body, 0
        if body[0] == "{":
            values = self.braces()
            self.initialisers[name] = Initialiser(values[0][1], ["sizeof"] + values[1:])
            return
        try:
            value = self.expression()
        except (HeaderError, IndexError):
            return
        if self.at == len(body):
            self.constants[name] = value

    def braces(self) -> List[Any]:
        values: List[Any] = []
        self.expect("{")
        while not self.skip("}"):
            if self.peek() == "{":
                values.append(self.braces())
            elif self.skip("NULL"):
                values.append(None)
            elif self.skip("sizeof"):
                self.expect("(")
                values.append(("sizeof", self.take()))
                self.expect(")")
            else:
                values.append(self.expression())
            self.skip(",")
        return values
