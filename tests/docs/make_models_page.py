#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write doc/models.md from the registry of model families, or say whether it is what this would write.

usage: make_models_page.py SOURCE_ROOT [--check]

Families and their public models come from lib/arch/families.h, names and properties from the families' files, references from
tests/golden/models. Architectures that only the reference material outside this repository tests are listed below.
"""
import collections
import difflib
import json
import pathlib
import re
import sys

OUTSIDE = {"gemma3", "gpt-oss", "lfm2", "llama", "minimax-m2", "mistral3", "nomic-bert", "phi3", "qwen2", "qwen3", "qwen35", "qwen35moe",
           "qwen3moe", "qwen3next", "bert", "deepseek2", "gemma4", "glm4moe"}

HEAD = """# Models

Made from the registry by `tests/docs/make_models_page.py`; do not edit. A file's family is its `general.architecture`; any other is
refused by name. Every family reads all types of weights in the [README](../README.md#models), in files of one or several parts.

*Memory* is what a sequence keeps: keys and values of all tokens (full) or of the last ones (windows), a compressed row per token for
all heads (latent), a state of fixed size (recurrent), or nothing beyond a call (encoder). Windows and states make
checkpoints (`include/lm/context.h`) the places a changed prompt goes back to. *Draft* marks families whose own block for
multi-token prediction can draft (`include/lm/speculate.h`), where a file has it. *References* are models of this repository whose
logits, vectors or scores an independent implementation in float64 gave (`tests/golden`): they are met within tolerance, with the
same bytes in every batch, thread count and instruction set; a + says that reference material outside tests it too.

| architecture | public models | memory | draft | references |
|---|---|---|---|---|
"""

TAIL = """
All decoders also take LoRA adapters and control vectors (`include/lm/adapter.h`), pool embeddings (`include/lm/embed.h`) and rank where the file has a
classifier. Images, sound and their towers are left out: "(text)" marks models that have some. Of several appended draft blocks none is used.
Public models are named from their architecture; reference values are of tiny models with random weights in the same shapes.
"""


def families(root):
    listed = re.findall(r"extern const lm_arch lm_arch_(\w+); +/\* (.*?) \*/", (root / "lib/arch/families.h").read_text())
    named = {}
    for path in sorted((root / "lib/arch").glob("*.c")):
        text = path.read_text(encoding="utf-8")
        for symbol, name, encoder in re.findall(r'const lm_arch lm_arch_(\w+) = \{"([^"]+)", build, (\w+)\}', text):
            named[symbol] = (name, encoder == "true", text)
    if {symbol for symbol, _ in listed} != set(named):
        sys.exit("lib/arch/families.h and the families' files disagree: every line there names its public models in a comment")
    registered = set(re.findall(r"&lm_arch_(\w+)", (root / "lib/arch/arch.c").read_text()))
    if registered != set(named):
        sys.exit(f"lib/arch/arch.c does not register {', '.join(sorted(registered ^ set(named)))}")
    for symbol, models in listed:
        yield (*named[symbol], models)


def memory(name, encoder, text):
    kinds = ["encoder"] if encoder else []
    if not encoder:
        kinds = ["latent" if "attn_kv_a_mqa" in text else "full"]
        kinds += ["windows"] if re.search(r"lm_build_slides|attention\.sliding_window", text) else []
        kinds += ["recurrent"] if "lm_graph_state_layer" in text else []
    return ", ".join(kinds)


def references(root):
    found = collections.defaultdict(list)
    for path in sorted((root / "tests/golden/models").glob("*.json")):
        facts = json.loads(path.read_text())
        what = [word for word, key in (("logits", "logits"), ("draft", "mtp"), ("vectors", "embd"), ("scores", "scores")) if key in facts]
        found[facts["architecture"]].append(f"{facts['name']} ({', '.join(what)})")
    return found


def page(root):
    found, rows = references(root), []
    for name, encoder, text, models in families(root):
        draft = "yes" if "lm_build_draft_begin" in text else ""
        tested = "; ".join(found[name]) + (" +" if name in OUTSIDE else "")
        rows.append(f"| {name} | {models} | {memory(name, encoder, text)} | {draft} | {tested.strip() or 'none'} |\n")
    return HEAD + "".join(rows) + TAIL


def main():
    root = pathlib.Path(sys.argv[1])
    target, wanted = root / "doc/models.md", page(root)
    if "--check" not in sys.argv[2:]:
        target.write_text(wanted, encoding="utf-8")
        return 0
    present = target.read_text(encoding="utf-8") if target.exists() else ""
    sys.stdout.writelines(difflib.unified_diff(present.splitlines(True), wanted.splitlines(True), "doc/models.md", "as the registry says"))
    return 0 if present == wanted else 1


if __name__ == "__main__":
    sys.exit(main())
