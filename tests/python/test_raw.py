# SPDX-License-Identifier: MIT
"""The generated layer against the C compiler: every size, offset, number, initialiser and function type."""
from __future__ import annotations

import ctypes
import pathlib
import shutil
import subprocess
import sys
from typing import Any, Dict, List

import pytest

from conftest import ROOT
from lm import _raw as raw

sys.path.insert(0, str(ROOT / "bindings" / "python"))
from declarations import Array, Declarations, Function, Name, Pointer, Type  # noqa: E402

COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C compiler")
DECLARATIONS = Declarations(ROOT / "include" / "lm")


def spelled(declared: Type, inner: str = "") -> str:
    """A declaration of `inner` in C."""
    if isinstance(declared, Name):
        return f"{'const ' if declared.const else ''}{declared.name} {inner}"
    if isinstance(declared, Pointer):
        around = f"*{' const ' if declared.const else ''}{inner}"
        return spelled(declared.to, f"({around})" if isinstance(declared.to, (Function, Array)) else around)
    if isinstance(declared, Array):
        return spelled(declared.of, f"{inner}[{declared.length}]")
    return spelled(declared.returns, f"{inner}({', '.join(spelled(p) for _, p in declared.parameters) or 'void'})")


def compiled(code: str, folder: pathlib.Path, link: bool = False) -> pathlib.Path:
    source, output = folder / "check.c", folder / "check"
    source.write_text("#include <lm/lm.h>\n#include <lm/backend.h>\n#include <stdio.h>\n" + code)
    command = [str(COMPILER), "-std=c11", "-Werror", f"-I{ROOT / 'include'}", str(source)]
    result = subprocess.run(command + (["-o", str(output)] if link else ["-fsyntax-only"]), capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[:4000]
    return output


@needs_compiler
def test_structs_lie_as_in_c(tmp_path: pathlib.Path) -> None:
    lines: List[str] = []
    # Structs without a name, which C reaches through the union's member only.
    unions = [struct for struct in DECLARATIONS.structs.values() if struct.kind == "union"]
    nameless = {f"{union.name}_{member}": (union.name, f"{member}.") for union in unions for member, _ in union.members}
    for struct in DECLARATIONS.structs.values():
        kind = getattr(raw, struct.name)
        owner, path = nameless.get(struct.name, (struct.name, ""))
        if not path:
            lines.append(f'_Static_assert(sizeof({struct.name}) == {ctypes.sizeof(kind)}, "{struct.name}");')
        for member, _ in struct.members:
            field = getattr(kind, member)
            lines.append(f'_Static_assert(offsetof({owner}, {path}{member}) == {field.offset} && '
                         f'sizeof((({owner} *)0)->{path}{member}) == {field.size}, "{struct.name}.{member}");')
    assert len(lines) > 400
    compiled("\n".join(lines), tmp_path)


@needs_compiler
def test_numbers_are_those_of_c(tmp_path: pathlib.Path) -> None:
    lines = [f'_Static_assert({name} == {value}, "{name}");' for name, value in DECLARATIONS.enumerators.items()]
    lines += [f'_Static_assert({name} == {getattr(raw, name)}, "{name}");' for name in DECLARATIONS.constants]
    compiled("\n".join(lines), tmp_path)
    for name, values in DECLARATIONS.enums.items():
        assert sorted(int(member) for member in getattr(raw, name).__members__.values()) == sorted(values.values())


@needs_compiler
def test_functions_have_the_types_of_c(tmp_path: pathlib.Path) -> None:
    lines = [f"{spelled(Pointer(declared), f'check_{name}')} = {name};" for name, declared in DECLARATIONS.functions.items()]
    lines = [f"static {line}\nvoid *use_{i}(void) {{ return (void *)check_{name}; }}" for i, (line, name) in
             enumerate(zip(lines, DECLARATIONS.functions))]
    compiled("\n".join(lines), tmp_path)
    for name, declared in DECLARATIONS.functions.items():
        bound: Any = getattr(raw, name)
        assert len(bound.argtypes) == len(declared.parameters), name
        for given, (_, wanted) in zip(bound.argtypes, declared.parameters):
            assert ctypes.sizeof(given) == ctypes.sizeof(ctypes.c_void_p) or not isinstance(wanted, Pointer), name


@needs_compiler
def test_initialisers_give_the_bytes_of_c(tmp_path: pathlib.Path) -> None:
    shown = "".join(f"    {{ {what.struct} x = {name}; show(&x, sizeof x); }}\n" for name, what in DECLARATIONS.initialisers.items())
    program = compiled("static void show(const void *at, size_t n) {\n    for (size_t i = 0; i < n; i++) printf(\"%02x\", ((const "
                       "unsigned char *)at)[i]);\n    puts(\"\");\n}\nint main(void) {\n" + shown + "}\n", tmp_path, link=True)
    lines = subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout.split()
    assert len(lines) == len(DECLARATIONS.initialisers) > 10
    for line, (name, what) in zip(lines, DECLARATIONS.initialisers.items()):
        mine, c = getattr(raw, name)(), type(getattr(raw, name)()).from_buffer_copy(bytes.fromhex(line))
        assert members(mine) == members(c), name


def members(struct: ctypes.Structure) -> Dict[str, Any]:
    """The values of members, so that padding does not count."""
    found: Dict[str, Any] = {}
    for name, *_ in type(struct)._fields_:
        value = getattr(struct, name)
        if isinstance(value, ctypes.Structure):
            found[name] = members(value)
        elif isinstance(value, (int, float)) or value is None:
            found[name] = value
        else:
            found[name] = bool(value)
    return found


def test_handles_of_one_kind_are_not_taken_for_another() -> None:
    with pytest.raises(ctypes.ArgumentError):
        raw.lm_model_close(ctypes.POINTER(raw.lm_context)())


def test_public_records_have_the_members_of_the_structs() -> None:
    import dataclasses

    import lm

    pairs = {lm.ModelInfo: raw.lm_model_info, lm.TensorInfo: raw.lm_tensor_info, lm.ContextParams: raw.lm_context_params,
             lm.SyncInfo: raw.lm_sync_info, lm.Memory: raw.lm_memory, lm.Plan: raw.lm_plan, lm.Machine: raw.lm_machine,
             lm.SpeculatorStats: raw.lm_speculator_stats, lm.TokenProb: raw.lm_token_prob, lm.Report: raw.lm_chat_report,
             lm.Sampling: raw.lm_sampler_params}
    left_out = {"struct_size", "allocator", "message_size", "n_dry_breakers", "n_biases", "n_reasoning_ends", "reserved"}
    for record, struct in pairs.items():
        names = [name for name, *_ in struct._fields_ if name not in left_out]
        assert [field.name for field in dataclasses.fields(record)] == names, record
