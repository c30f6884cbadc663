#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Documents sampled at temperature 2 under the schemas of our own cases and of the reference fixtures, where these are, N of
each, judged by the jsonschema package, dates included.

  test_schema_sampling.py PROGRAM N MODEL...

Skipped (77) without the package or a model. doc/testing.md has the command for 1,000 of each.
"""
import collections
import json
import os
import pathlib
import re
import subprocess
import sys

try:
    import jsonschema
except ImportError:
    sys.exit(77)
files = [pathlib.Path(__file__).resolve().parents[1] / "golden/grammar/schema.json"]
shared = pathlib.Path(os.environ.get("LM_SHARED", "/nonexistent")) / "fixtures/schema/cases.json"
if shared.exists():
    files.append(shared)
formats = jsonschema.FormatChecker({"date", "date-time"} & set(jsonschema.FormatChecker.checkers))
program, n, *models = sys.argv[1:]


def validator(name, schema):
    if name == "oneOf/dates" and "date-time" not in formats.checkers:
        return None  # who does not know the format takes any text for one
    text = json.dumps(schema)
    if '"nullable"' in text or re.search(r'"multipleOf": \d*\.', text):
        return None  # OpenAPI's own; remainders of doubles, which find that 9.29 is no multiple of 0.01
    if re.search(r'\\\\[pP]\{', text):
        return None  # Python's expressions know no categories
    try:
        return jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)(schema, format_checker=formats)
    except Exception as error:  # a schema that package cannot read says nothing about ours
        print(f"{name}: {error}")
        return None


def depth(document):
    inner = document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    return 1 + max(map(depth, inner), default=0)


def is_judged(schema, document):
    """That package tries both branches of a oneOf at each level of a document: a recursive one takes it 2^depth steps."""
    return not ("$ref" in schema and "oneOf" in schema and depth(document) > 10)


def judge(model, cases):
    schemas = {case["name"]: case["schema"] for case in json.loads(cases.read_text())}
    texts = {name: json.dumps(schema) for name, schema in schemas.items()}
    good, bad, validators = collections.Counter(), collections.Counter(), {}
    with subprocess.Popen([program, model, cases, n], stdout=subprocess.PIPE, text=True) as run:
        for line in run.stdout:
            item = json.loads(line)
            name = item["name"]
            if name not in validators:
                validators[name] = validator(name, schemas[name])
            try:
                document = json.loads(item["text"])
                judged = validators[name] is not None and is_judged(texts[name], document)
                valid = item["complete"] and (not judged or validators[name].is_valid(document))
            except ValueError:
                valid = False
            (good if valid else bad)[name] += 1
            if not valid and bad[name] == 1:
                print(f"{name}: complete {item['complete']}: {item['text'][:300]}")
    print(f"{pathlib.Path(model).name}: {sum(good.values())} of {sum(good.values()) + sum(bad.values())} documents valid, {len(good)} schemas")
    return run.returncode == 0 and good and not bad


passed = True
for model in models:
    if not pathlib.Path(model).exists():
        print(f"{model}: missing")
        sys.exit(77)
    for cases in files:
        passed = judge(model, cases) and passed
sys.exit(0 if passed else 1)
