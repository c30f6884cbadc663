# SPDX-License-Identifier: MIT
"""The Python of the documentation and the examples runs as it stands, and the package and its tests are typed without exception."""
from __future__ import annotations

import ast
import doctest
import inspect
import os
import pathlib
import re
import subprocess
import sys
from typing import Any, Dict, List

import pytest

import lm
from conftest import CHAT, ROOT

PACKAGE = pathlib.Path(lm.__file__).parent


def run_blocks(page: pathlib.Path) -> int:
    """Run the page's blocks of Python, one after another in one module."""
    names: Dict[str, Any] = {"__name__": "__main__"}
    blocks = list(re.finditer(r"^```python\n(.*?)^```$", page.read_text(encoding="utf-8"), flags=re.S | re.M))
    for block in blocks:
        line = page.read_text(encoding="utf-8").count("\n", 0, block.start()) + 1
        if ">>>" in block[1]:
            test = doctest.DocTestParser().get_doctest(block[1], names, page.name, str(page), line)
            runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL)
            shown: List[str] = []
            runner.run(test, out=shown.append, clear_globs=False)
            assert runner.failures == 0, "".join(shown)
        else:
            exec(compile("\n" * line + block[1], str(page), "exec"), names)
    return len(blocks)


@pytest.mark.parametrize("page,n_blocks", [("README.md", 1), ("doc/python.md", 10)])
def test_the_examples_of_the_pages_run(page: str, n_blocks: int, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.gguf").symlink_to(CHAT)
    monkeypatch.chdir(tmp_path)
    assert run_blocks(ROOT / page) >= n_blocks


@pytest.mark.slow
def test_the_notebook_draws_its_figures(tmp_path: pathlib.Path) -> None:
    pytest.importorskip("matplotlib")
    program = [sys.executable, str(ROOT / "examples/python/probabilities.py"), str(CHAT)]
    result = subprocess.run(program, cwd=tmp_path, env={**os.environ, "MPLBACKEND": "Agg"}, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "perplexity" in result.stdout and "tokens per second" in result.stdout
    for name in ("token-probabilities", "alternatives", "generation-speed"):
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_types_are_strict(tmp_path: pathlib.Path) -> None:
    pytest.importorskip("mypy")
    environment = {**os.environ, "MYPYPATH": os.pathsep.join(map(str, (ROOT / "tests/python", ROOT / "bindings/python")))}
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), "--follow-imports=silent"]
    for files in (["-p", "lm"], [str(path) for path in sorted((ROOT / "tests/python").glob("*.py"))]):
        result = subprocess.run(command + files, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr
    assert (PACKAGE / "py.typed").exists()


def test_the_sources_are_python_3_9() -> None:
    paths = [*PACKAGE.glob("*.py"), *(ROOT / "bindings/python").glob("*.py")]
    assert len(paths) > 20
    for path in paths:
        ast.parse(path.read_text(encoding="utf-8"), str(path), feature_version=(3, 9))


def test_every_public_name_is_listed() -> None:
    things = {name: value for name, value in vars(lm).items() if not name.startswith("_") and not isinstance(value, type(lm))}
    public = {name for name, value in things.items() if getattr(value, "__module__", "").split(".")[0] == "lm"}
    assert set(lm.__all__) == public
    assert all(getattr(lm, name).__doc__ for name in lm.__all__)


def test_every_public_member_is_described() -> None:
    bare = []
    for name in lm.__all__:
        for member, value in vars(getattr(lm, name)).items():
            value = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
            if inspect.isfunction(value) and not member.startswith("_") and not value.__doc__:
                bare.append(f"{name}.{member}")
    assert bare == []
