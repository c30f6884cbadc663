#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write the library as two files: amalgamate.py FOLDER makes FOLDER/lm.h and FOLDER/lm.c; `cc -O2 lm.c app.c -lm -pthread` builds with them.

lm.h is the public headers of the library. lm.c starts with the private headers that files share, once each; then come the files, between
comments that name them. Headers that kernels are made of (templates that depend on the includer's macros and instruction set) are put in
place at each inclusion. What a file keeps to itself and another file has too gets the file's name behind it, and its macros end with it.
Files that ask for more than the C standard's headers come last, so that nothing else sees those.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+(?:"([^"\n]+)"|<(lm/\w+\.h)>)[^\n]*\n', re.M)
SYSTEM_INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[ \t]+<(?!lm/)([^>\n]+)>", re.M)
DEFINE = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)(\([^)\n]*\))?([^\n]*)$", re.M)
TOKEN = re.compile(r"\w+|##|->|\.\.\.|[^\s\w]")
LITERAL = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)
# The features that files ask of system headers, which must be told before the first of those.
FEATURES = {"_GNU_SOURCE": "", "_DARWIN_C_SOURCE": "", "_FILE_OFFSET_BITS": " 64", "WIN32_LEAN_AND_MEAN": "", "_WIN32_WINNT": " 0x0602"}
STANDARD = set("""assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign stdarg stdatomic
stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar wchar wctype""".split())
INTRINSICS = {"immintrin.h", "arm_neon.h", "cpuid.h", "intrin.h"}
# Macros that decorate declarations: without meaning for the names in them. The second ones have arguments.
CALLED = {"LM_TARGET_BEGIN", "LM_UNROLL"}
SILENT = {"LM_INLINE", "LM_APART", "LM_KERNEL", "LM_API", "LM_EXACT_FLOATS", "LM_BEGIN_DECLS", "LM_END_DECLS", "LM_TARGET_END"} | CALLED
WORDS = set("""if else for while do switch case default return break continue goto sizeof static const int char void float double long short
unsigned signed struct union enum typedef extern inline volatile restrict register bool _Bool _Static_assert _Alignas _Alignof _Atomic
__attribute__ __asm__ __volatile__ __extension__ asm _Pragma __inline true false NULL size_t""".split())


def read(path):
    return path.read_text(encoding="utf-8")


def fail(text):
    sys.exit(f"amalgamate.py: {text}")


def included(path, match):
    """The file that one of our include lines names."""
    target = ROOT / "include" / match[2] if match[2] else (path.parent / match[1]).resolve()
    if not target.is_file():
        fail(f"{path.relative_to(ROOT)} includes {match[1] or match[2]}, which does not exist")
    return target


def is_template(path):
    """Whether a header is made anew for each file of kernels that includes it: it has no guard, or depends on the vectors before it."""
    return "lanes" in path.name or not re.search(r"^#ifndef LM_", read(path), re.M)


def ordered(roots):
    """The shared headers that files need, each after those that it includes."""
    order, seen = [], set()

    def add(path):
        if path in seen:
            return
        seen.add(path)
        for match in INCLUDE.finditer(read(path)):
            add(included(path, match))
        if path.suffix == ".h" and not is_template(path):
            order.append(path)

    for path in roots:
        add(path)
    return order


def without_licence(text):
    """Without the line that every file starts with; what the first comment says besides stays."""
    return re.sub(r"\A/\* SPDX-License-Identifier: MIT( \*/\n|\n \*)", lambda m: "/*" if m[1] == "\n *" else "", text)


def resolved(path):
    """A file without its own includes: what is shared has been seen, templates are put in place."""

    def put(match):
        target = included(path, match)
        return resolved(target) if is_template(target) else ""

    return INCLUDE.sub(put, without_licence(read(path)))


def plain(text):
    """Code alone, with continued lines joined and literals as 0."""
    return LITERAL.sub(lambda m: " " if m[0][0] == "/" else "0", text).replace("\\\n", " ")


def live(code):
    """Code without the branches whose condition is about a number that the same code has defined; other branches all stay."""
    numbers, kept, branches = {}, [], []  # branches: [this one lives, a definite one was taken]
    for line in code.splitlines():
        match = re.match(r"[ \t]*#[ \t]*(if|ifdef|ifndef|elif|else|endif|define)\b[ \t]*(.*)", line)
        kind, rest = (match[1], match[2].strip()) if match else ("", "")
        if kind == "endif":
            branches.pop()
            continue
        if kind in ("if", "ifdef", "ifndef", "elif", "else"):
            about = re.fullmatch(r"(!?)(\w+)(?: == (\d+))?", rest)
            known = kind in ("if", "elif") and about and about[2] in numbers
            holds = bool(known) and (numbers[about[2]] == int(about[3]) if about[3] else bool(numbers[about[2]]) != bool(about[1]))
            if kind in ("if", "ifdef", "ifndef"):
                branches.append([holds or not known, holds])
            else:
                taken = branches[-1][1]
                branches[-1] = [not taken and (holds or not known), taken or holds]
            continue
        if all(b[0] for b in branches):
            number = re.fullmatch(r"(\w+)[ \t]+(\d+)", rest) if kind == "define" else None
            if number:
                numbers[number[1]] = int(number[2])
            kept.append(line)
    return "\n".join(kept)


def macros_of(code):
    """All definitions of each macro of some code, whatever the conditions around them: (parameters or None, body)."""
    found = {}
    for match in DEFINE.finditer(code):
        parameters = None if match[2] is None else [p.strip() for p in match[2][1:-1].split(",") if p.strip()]
        found.setdefault(match[1], []).append((parameters, TOKEN.findall(match[3])))
    return found


def substituted(parameters, body, arguments):
    """The body of a macro with its arguments, pasted where it says so."""
    values = dict(zip(parameters, arguments))
    if parameters and parameters[-1] == "...":
        rest = arguments[len(parameters) - 1:]
        values["__VA_ARGS__"] = [t for i, a in enumerate(rest) for t in ([","] if i else []) + a]
    out, paste = [], False
    for token in body:
        if token == "##":
            paste = True
            continue
        tokens = values.get(token, [token])
        if paste and out and tokens:
            tokens = [out.pop() + tokens[0]] + tokens[1:]
        paste = False
        out += tokens
    return out


def arguments_at(tokens, i):
    """The arguments of a call whose parenthesis is tokens[i], and where it ends."""
    arguments, depth = [[]], 0
    while i < len(tokens):
        token = tokens[i]
        i += 1
        if token in "([{":
            depth += 1
            if depth == 1:
                continue
        elif token in ")]}":
            depth -= 1
            if depth == 0:
                break
        if token == "," and depth == 1:
            arguments.append([])
        else:
            arguments[-1].append(token)
    return arguments, i


def declared(code, macros):
    """Names that some code declares outside of functions. Conditions are ignored: all of their branches count."""
    tokens = TOKEN.findall(re.sub(r"^[ \t]*#[^\n]*$", "", code, flags=re.M))[::-1]  # a stack: the next one is last
    names, braces, parentheses, enum_at, last, before, earlier = set(), 0, 0, None, "", "", ""
    while tokens:
        token = tokens.pop()
        outside = braces == 0 and parentheses == 0
        if token in SILENT:
            if tokens and tokens[-1] == "(" and token in CALLED:
                del tokens[len(tokens) - arguments_at(tokens[::-1], 0)[1]:]
            continue
        if token in macros and outside:
            called = bool(tokens) and tokens[-1] == "("
            choices = [(p, b) for p, b in macros[token] if p is None or called]
            if choices:
                arguments, used = [], 0
                if called and any(p is not None for p, _ in choices):
                    arguments, used = arguments_at(tokens[::-1], 0)
                    del tokens[len(tokens) - used:]
                for parameters, body in choices:
                    tokens += [t for t in substituted(parameters or [], body, arguments) if t != token][::-1]
                continue
        name = re.match(r"[A-Za-z_]\w*$", last) and last not in WORDS
        if token == "{":
            if braces == 0 and "enum" in (last, before):
                enum_at = 0
            braces += 1
        elif token == "}":
            braces -= 1
            enum_at = None if enum_at == braces else enum_at
        elif token == "(":
            if outside and name:
                names.add(last)
            parentheses += 1
        elif token == ")":
            if braces == 0 and name and before == "*" and earlier == "(" and parentheses == 1 and tokens and tokens[-1] == "(":
                names.add(last)  # a pointer to a function
            parentheses -= 1
        elif outside and token in "=[;," and name:
            names.add(last)
        elif enum_at is not None and braces == 1 and parentheses == 0 and last in "{," and token not in WORDS:
            names.add(token)
        if braces == 0 and last in ("struct", "union", "enum") and tokens and tokens[-1] == "{":
            names.add(token)
        earlier, before, last = before, last, token
    return {n for n in names if re.match(r"[A-Za-z_]", n) and n not in WORDS and not re.match(r"(lm_|LM_|__|_mm)", n)}


def renamed(text, names):
    """Text whose words that are keys of names are replaced, but no members of structs, and nothing in literals and comments."""
    pattern = re.compile(LITERAL.pattern + r"|#[ \t]*include[^\n]*|(?P<word>[A-Za-z_]\w*)|(?P<mark>->|[^\s\w])", re.S)
    out, at, last, tag, structs = [], 0, "", False, []
    matches = [m for m in pattern.finditer(text) if m["word"] or m["mark"]]
    for i, match in enumerate(matches):
        token = match[0]
        following = matches[i + 1][0] if i + 1 < len(matches) else ""
        if token == "{":
            structs.append(tag)
            tag = False
        elif token == "}" and structs:
            structs.pop()
        elif token in ("struct", "union"):
            tag = True
        elif token in ";()=*,":
            tag = False
        member = last in (".", "->")
        if structs and structs[-1] and last not in ("(", "["):
            member |= following in (";", ",", "[", ":") or (following == ")" and last == "*")
        if token in names and not member:
            out += [text[at:match.start()], names[token]]
            at = match.end()
        last = token
    return "".join(out) + text[at:]


def public_header(version, files):
    """The headers that lm.h or the sources name: one that neither does belongs to a library beside this one."""
    headers = [h for h in ordered([ROOT / "include/lm/lm.h", *files]) if h.parent == ROOT / "include/lm"]
    parts = [f"/* SPDX-License-Identifier: MIT\n * liblm {version}: all public headers in one, made by lib/amalgamate.py. */\n"
             "#if !defined(LM_STATIC)\n#define LM_STATIC\n#endif\n"]
    parts += [f"/* ==== include/lm/{h.name} ==== */\n" + INCLUDE.sub("", without_licence(read(h))) for h in headers]
    return headers, "\n".join(parts)


def sources():
    """All files, those that include headers of a system last."""
    found = [p for pattern in ("kernels/*.c", "kernels/*/*.c", "lib/*/*.c", "lib/*/*/*.c") for p in sorted(ROOT.glob(pattern))]

    def system(path):
        return any(n.removesuffix(".h") not in STANDARD and n not in INTRINSICS for n in SYSTEM_INCLUDE.findall(read(path)))

    return sorted(found, key=system)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.splitlines()[0])
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    version = ".".join(re.search(rf"LM_VERSION_{part} (\d+)", read(ROOT / "include/lm/version.h"))[1] for part in ("MAJOR", "MINOR", "PATCH"))
    files = sources()
    public, header = public_header(version, files)
    (out / "lm.h").write_text(header, encoding="utf-8")

    shared = [h for h in ordered(files) if h not in public]
    cpu = ROOT / "kernels/cpu.h"
    shared.insert(0, shared.pop(shared.index(cpu)))

    shared_macros, shared_names, names_of = {}, {}, {}
    for path in public + shared:
        for name, definitions in macros_of(plain(read(path))).items():
            shared_macros.setdefault(name, []).extend(definitions)
    for path in public + shared:
        names_of[path] = declared(plain(INCLUDE.sub("", read(path))), shared_macros)
        for name in names_of[path]:
            shared_names.setdefault(name, path)
    members = {n for path in public + shared for n in TOKEN.findall(plain(read(path)))}

    texts, macros, count = {}, {}, {}
    for path in files:
        texts[path] = resolved(path)
        code = live(plain(texts[path]))
        macros[path] = macros_of(code)
        seen = set().union(*(names_of[h] for h in ordered([path]) if h in names_of), set())
        names_of[path] = declared(code, {**shared_macros, **macros[path]}) - set(macros[path]) - seen
        for name in names_of[path]:
            count[name] = count.get(name, 0) + 1

    parts = [f"/* SPDX-License-Identifier: MIT\n * liblm {version} in one file, made by lib/amalgamate.py. */"]
    parts += [f"#if !defined({n})\n#define {n}{value}\n#endif" for n, value in FEATURES.items()]
    parts += ["#define LM_BUILDING\n#include \"lm.h\"\n"]
    for path in shared:
        parts.append(f"/* ==== {path.relative_to(ROOT)} ==== */\n" + INCLUDE.sub("", without_licence(read(path))))
        if path == cpu:
            parts.append("LM_EXACT_FLOATS\n")
    for path in files:
        # Single words, such as read and open, may be a system's.
        clashing = sorted(n for n in names_of[path] if count[n] > 1 or n in shared_names or "_" not in n)
        new = {n: f"{n}__{path.stem}" for n in clashing}
        # Names that macros paste together are replaced by the preprocessor.
        pasted = {n for n in clashing if path.is_relative_to(ROOT / "kernels") and n not in members}
        text = renamed(texts[path], {n: new[n] for n in clashing if n not in pasted})
        for feature in FEATURES:
            text = re.sub(rf"^[ \t]*#[ \t]*define[ \t]+{feature}\b[^\n]*\n", "", text, flags=re.M)
        parts.append(f"/* ==== {path.relative_to(ROOT)} ==== */")
        parts += [f"#define {n} {new[n]}" for n in sorted(pasted)]
        parts.append(text)
        parts += [f"#undef {n}" for n in sorted(pasted | set(macros_of(plain(texts[path]))) - set(FEATURES) - set(shared_macros))]
    (out / "lm.c").write_text("\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
