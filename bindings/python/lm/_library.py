# SPDX-License-Identifier: MIT
"""Where the shared library is. A wheel carries it; a build folder has it beside the generated layer; else the system's is
taken."""
import ctypes
import ctypes.util
import pathlib
import sys
import sysconfig
from typing import Iterator

_NAMES = {"win32": ("liblm_python.dll", "lm_python.dll"), "darwin": ("liblm_python.dylib",)}.get(sys.platform, ("liblm_python.so",))
_WHEEL_FOLDER = ".liblm.mesonpy.libs"


def _folders() -> Iterator[pathlib.Path]:
    import importlib.util

    generated = importlib.util.find_spec(f"{__package__}._raw")  # in an editable installation it lies in the build folder
    if generated and generated.origin:
        yield pathlib.Path(generated.origin).parent
    yield pathlib.Path(__file__).parent.parent / _WHEEL_FOLDER
    yield pathlib.Path(sysconfig.get_path("platlib")) / _WHEEL_FOLDER


def _load() -> ctypes.CDLL:
    for folder in _folders():
        for name in _NAMES:
            if (folder / name).is_file():
                return ctypes.CDLL(str(folder / name))
    found = ctypes.util.find_library("lm_python") or ctypes.util.find_library("lm")
    if not found:
        raise ImportError("the shared library of liblm is missing: it belongs into the wheel; build one with pip install")
    return ctypes.CDLL(found)


library = _load()
