# SPDX-License-Identifier: MIT
"""Conversations to text, by the same template that goes into the model file."""
import json
import pathlib

import jinja2

TEXT = (pathlib.Path(__file__).parent.parent / "template.jinja").read_text().rstrip("\n")

_environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
_environment.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
_template = _environment.from_string(TEXT)


def render(conversation, add_generation_prompt=False):
    return _template.render(**conversation, add_generation_prompt=add_generation_prompt)
