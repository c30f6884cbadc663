#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Print MAJOR.MINOR.PATCH as written in include/lm/version.h."""
import pathlib
import re

text = (pathlib.Path(__file__).resolve().parents[2] / "include/lm/version.h").read_text()
print(".".join(re.search(rf"LM_VERSION_{part} (\d+)", text)[1] for part in ("MAJOR", "MINOR", "PATCH")))
