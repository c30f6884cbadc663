#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Documents sampled at temperature 2 under the schemas of the reference fixtures, N of each, judged by the jsonschema package.

  test_schema_sampling.py PROGRAM N MODEL...

Skipped (77) without the fixtures or the package. doc/testing.md has the command for 1,000 of each.
"""
import collections
import json
import os
import pathlib
import subprocess
import sys

try:
    import jsonschema
except ImportError:
    sys.exit(77)
cases = pathlib.Path(os.environ.get("LM_SHARED", "/nonexistent")) / "fixtures/schema/cases.json"
if not cases.exists():
    sys.exit(77)
schemas = {case["name"]: case["schema"] for case in json.loads(cases.read_text())}
program, n, *models = sys.argv[1:]
failed = 0
for model in models:
    if not pathlib.Path(model).exists():
        print(f"{model}: missing")
        sys.exit(77)
    good, bad, validators = collections.Counter(), collections.Counter(), {}
    with subprocess.Popen([program, model, cases, n], stdout=subprocess.PIPE, text=True) as run:
        for line in run.stdout:
            item = json.loads(line)
            name = item["name"]
            if name not in validators:
                try:
                    validators[name] = jsonschema.validators.validator_for(schemas[name], default=jsonschema.Draft202012Validator)(schemas[name])
                except Exception as error:  # a schema that package cannot read says nothing about ours
                    validators[name] = None
                    print(f"{name}: {error}")
            try:
                document = json.loads(item["text"])
                valid = item["complete"] and (validators[name] is None or validators[name].is_valid(document))
            except ValueError:
                valid = False
            (good if valid else bad)[name] += 1
            if not valid and bad[name] == 1:
                print(f"{name}: complete {item['complete']}: {item['text'][:300]}")
    failed += run.returncode != 0 or bool(bad) or not good
    print(f"{pathlib.Path(model).name}: {sum(good.values())} of {sum(good.values()) + sum(bad.values())} documents valid, {len(good)} schemas")
sys.exit(1 if failed else 0)
