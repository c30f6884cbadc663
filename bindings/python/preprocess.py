# SPDX-License-Identifier: MIT
"""The C preprocessor, as far as include/lm needs it: comments, conditions, includes of neighbours, macros with and without
parameters, pasting. Nothing but the standard library, so that any build machine can run it.

    reader = Preprocessor(pathlib.Path("include/lm"))
    tokens = reader.read("lm.h")        # the declarations, all macros expanded
    reader.macros["LM_SEED_RANDOM"]     # Macro(parameters=None, body=["UINT32_C", "(", "0xFFFFFFFF", ")"])
"""
import pathlib
import re
from typing import Dict, List, NamedTuple, Optional, Set

TOKEN = re.compile(r'''[A-Za-z_]\w*|\.?\d(?:[eEpP][+-]|[\w.])*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)'|\.\.\.|\#\#|<<|>>|<=|>=|==|!=|&&|\|\||\S''')
IDENTIFIER = re.compile(r"[A-Za-z_]\w*$")


class Macro(NamedTuple):
    parameters: Optional[List[str]]
    body: List[str]


class HeaderError(Exception):
    """A header uses something that this reader does not know."""


def without_comments(text: str) -> str:
    """Comments become spaces, strings stay."""
    return re.sub(r'"(?:[^"\\]|\\.)*"|/\*.*?\*/|//[^\n]*', lambda m: m[0] if m[0].startswith('"') else " ", text, flags=re.S)


class Preprocessor:
    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.macros: Dict[str, Macro] = {}
        self.files: List[pathlib.Path] = []

    def read(self, name: str) -> List[str]:
        """All tokens of a header and the headers it includes, each header once by its own guard."""
        path = self.folder / name
        if path not in self.files:
            self.files.append(path)
        text = re.sub(r"\\\n", " ", without_comments(path.read_text(encoding="utf-8")))
        out: List[str] = []
        pending: List[str] = []
        conditions: List[bool] = []
        taken: List[bool] = []  # whether a branch of the condition was
        for number, line in enumerate(text.split("\n"), 1):
            directive = re.match(r"\s*#\s*(\w+)\s*(.*)", line)
            if not directive:
                if all(conditions):
                    pending += TOKEN.findall(line)
                continue
            out += self.expand(pending)
            pending = []
            word, rest = directive[1], directive[2].strip()
            if word == "ifdef" or word == "ifndef":
                conditions.append((rest in self.macros) == (word == "ifdef"))
                taken.append(conditions[-1])
            elif word == "if":
                conditions.append(self.is_true(rest))
                taken.append(conditions[-1])
            elif word == "elif" or word == "else":
                conditions[-1] = not taken[-1] and (word == "else" or self.is_true(rest))
                taken[-1] = taken[-1] or conditions[-1]
            elif word == "endif":
                conditions.pop()
                taken.pop()
            elif all(conditions):
                out += self.obey(word, rest, f"{name}:{number}")
        return out + self.expand(pending)

    def obey(self, word: str, rest: str, place: str) -> List[str]:
        if word == "include":
            return self.read(rest.strip('"')) if rest.startswith('"') else []
        if word == "undef":
            self.macros.pop(rest, None)
        elif word == "define":
            match = re.match(r"(\w+)(?:\(([^)]*)\))?\s*(.*)", rest)
            if not match:
                raise HeaderError(f"{place}: #define {rest}")
            parameters = None if match[2] is None else [p.strip() for p in match[2].split(",")]
            self.macros[match[1]] = Macro(parameters, TOKEN.findall(match[3]))
        else:
            raise HeaderError(f"{place}: #{word}")
        return []

    def is_true(self, condition: str) -> bool:
        """Conditions are made of defined(NAME), !, && and ||."""
        words = re.sub(r"defined\s*\(?\s*(\w+)\s*\)?", lambda m: str(m[1] in self.macros), condition)
        words = words.replace("&&", " and ").replace("||", " or ").replace("!", " not ")
        if not re.fullmatch(r"(?:True|False|and|or|not|[()\s])*", words):
            raise HeaderError(f"#if {condition}")
        return bool(eval(words))  # nothing but the words above

    def expand(self, tokens: List[str], hidden: Optional[Set[str]] = None) -> List[str]:
        """Replace macros, those that appear inside of their own replacement excepted."""
        hidden = hidden or set()
        out: List[str] = []
        i = 0
        while i < len(tokens):
            token = tokens[i]
            i += 1
            macro = self.macros.get(token)
            if macro is None or token in hidden:
                out.append(token)
            elif macro.parameters is None:
                out += self.expand(macro.body, hidden | {token})
            elif i < len(tokens) and tokens[i] == "(":
                arguments, i = self.arguments(tokens, i)
                out += self.expand(self.substitute(macro, arguments), hidden | {token})
            else:
                out.append(token)
        return out

    @staticmethod
    def arguments(tokens: List[str], i: int) -> "tuple[List[List[str]], int]":
        """The arguments that begin with the parenthesis at i, and the place after them."""
        found: List[List[str]] = [[]]
        depth = 0
        while True:
            token = tokens[i]
            i += 1
            if token == "(":
                depth += 1
                if depth == 1:
                    continue
            elif token == ")":
                depth -= 1
                if depth == 0:
                    return found, i
            elif token == "," and depth == 1:
                found.append([])
                continue
            found[-1].append(token)

    @staticmethod
    def substitute(macro: Macro, arguments: List[List[str]]) -> List[str]:
        out: List[str] = []
        paste = False
        for token in macro.body:
            if token == "##":
                paste = True
                continue
            parameters = macro.parameters or []
            value = arguments[parameters.index(token)] if token in parameters else [token]
            if paste and out and value:
                value = [out.pop() + value[0]] + value[1:]
            paste = False
            out += value
        return out
