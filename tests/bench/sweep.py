#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Run lm bench over models, depths, threads, levels and cache types, and store what it says as JSON.

    sweep.py --prepare            make the models and the cached states that are missing (long, needs no quiet machine)
    sweep.py [--budget SECONDS]   measure, most important rows first, and stop before the budget would be exceeded
    sweep.py --plan               print what would run, with estimates

The models have the exact shapes of public ones and random weights; a generator writes them: `GENERATOR MODEL MIX OUT [--layers N]`
(--generator; by default ../shared/tools/synth_gguf.py beside the checkout). Without it, models already in --models are used and the rows of others are
reported as skipped. draw.py turns the result into doc/performance.md."""
import argparse
import json
import os
import pathlib
import platform
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
PEAK, READ = 0.9e12, 35e9  # of two threads, for estimates before anything is measured

# name: (model, mix, layers or None, giga-products per token, gigabytes per token)
MODELS = {
    "llama-3.2-1b q4_0": (None, 0.97, 0.76),
    "llama-3.2-1b q4_k_m": (None, 0.97, 0.80),
    "qwen3-4b q4_0": (None, 3.6, 2.3),
    "qwen3-4b q4_k_m": (None, 3.6, 2.45),
    "qwen3-0.6b q8_0": (None, 0.44, 0.63),
    "llama-3.2-1b iq4_xs": (None, 0.97, 0.73),
    "llama-3.2-1b q5_k": (None, 0.97, 0.89),
    "llama-3.2-1b q6_k": (None, 0.97, 1.0),
    "qwen3-30b-a3b q4_k_s": (6, 0.45, 0.5),
    "qwen3.5-0.8b q4_k_m": (None, 0.5, 0.5),
    "qwen3.5-2b q4_k_m": (None, 1.4, 1.2),
    "qwen3.5-4b q4_k_m": (None, 3.6, 2.5),
    "qwen3.5-9b q4_k_m": (None, 7.9, 5.1),
    "qwen3.5-35b-a3b q4_k_s": (None, 2.9, 1.95),
}


def row(label, model, prompt=512, steps=64, reps=3, depth=0, batch=1, threads=2, cpu=None, kv=None, opens=False, busy=0):
    return dict(busy=busy, label=label, model=model, prompt=prompt, steps=steps, reps=reps, depth=depth, batch=batch, threads=threads, cpu=cpu, kv=kv,
                opens=opens)


def rows():
    base = ["llama-3.2-1b q4_0", "llama-3.2-1b q4_k_m", "qwen3-4b q4_0", "qwen3-4b q4_k_m", "qwen3-0.6b q8_0"]
    more = ["llama-3.2-1b iq4_xs", "llama-3.2-1b q6_k", "llama-3.2-1b q5_k"]
    small, large = base[0], base[3]
    yield from (row("base", m, steps=32 if "4b" in m else 64, reps=2 if "4b" in m else 3) for m in base)
    yield row("base", "qwen3-30b-a3b q4_k_s", steps=32)
    yield from (row("base", m, steps=32, reps=2) for m in more)
    yield from (row("base", m, steps=32, reps=2) for m in MODELS if m.startswith("qwen3.5"))
    yield row("batch", small, prompt=0, steps=32, batch=4)
    yield row("thread", small, prompt=256, steps=32, threads=1, reps=2)
    yield row("busy", small, prompt=256, steps=32, busy=1, reps=2)
    yield row("batch", large, prompt=0, steps=16, batch=4, reps=2)
    yield row("depth", small, steps=32, depth=8192, reps=2)
    yield row("open", "qwen3-4b q4_0", prompt=16, steps=0, opens=True)
    yield row("depth", large, steps=16, reps=1, depth=8192)
    yield from (row("level", small, steps=32, cpu=cpu, reps=2) for cpu in ("avx2", "avx2vnni"))
    yield from (row("cache", small, prompt=128, steps=16, depth=8192, kv=kv, reps=2) for kv in ("q8_0", "q4_0", "bf16", "f32"))
    yield row("thread", large, prompt=128, steps=16, threads=1, reps=2)


def estimate(r):
    """Seconds a row takes: limits at half, attention at depth, one untimed run and reps timed ones of each test."""
    _, products, gigabytes = MODELS[r["model"]]
    slow = {None: 1, "avx2vnni": 2, "avx2": 3}[r["cpu"]] * 2 / r["threads"] * (1 + r["busy"])
    deep = 1 + 1.7 * r["depth"] / 8192
    prompt = r["prompt"] * products * 2e9 / (0.5 * PEAK) * slow * deep
    steps = r["steps"] * gigabytes * 1e9 / (0.8 * READ) * (2 / r["threads"]) * deep * (1.4 if r["batch"] > 1 else 1)
    return 3 + (r["reps"] + 1) * (prompt * (2 if r["opens"] else 1) + steps) + r["depth"] / 4096


def file_of(options, model, suffix=".gguf"):
    return options.models / (model.replace(" ", "-") + suffix)


def state_of(options, r):
    return file_of(options, r["model"], f"-{r['depth']}-{r['kv'] or 'f16'}.state")


def command(options, r):
    line = [str(options.lm), "bench", str(file_of(options, r["model"])), "--json", "-p", r["prompt"], "-n", r["steps"], "-r", r["reps"],
            "-t", r["threads"], "-b", r["batch"]]
    if r["depth"]:
        line += ["-d", r["depth"], "--state", state_of(options, r)]
    for name in ("cpu", "kv"):
        if r[name]:
            line += ["--" + name, r[name]]
    return [str(x) for x in line + (["--open"] if r["opens"] else [])]


def make_model(options, model):
    path, (layers, _, _) = file_of(options, model), MODELS[model]
    if path.exists():
        return True
    if not options.generator.exists():
        return False
    part = path.with_suffix(".part")
    made = subprocess.run([sys.executable, str(options.generator), *model.split(), str(part)] + (["--layers", str(layers)] if layers else []),
                          stdout=subprocess.DEVNULL)
    if made.returncode == 0:
        part.rename(path)
    return made.returncode == 0


def prepare(options):
    missing = [m for m in MODELS if not make_model(options, m)]
    for m in missing:
        print(f"skipped: {m} is not in {options.models}, and there is no generator at {options.generator}")
    for r in sorted((r for r in rows() if r["depth"] and r["model"] not in missing), key=estimate):
        if not state_of(options, r).exists():
            print("state:", state_of(options, r), flush=True)
            run = subprocess.run(command(options, dict(r, prompt=1, steps=0, reps=1)), capture_output=True, text=True)
            if run.returncode != 0:
                print(f"failed: {run.stderr.strip() or run.returncode}", flush=True)


def warm(path):
    with open(path, "rb", buffering=0) as file:
        while file.read(1 << 24):
            pass


def measure(options):
    spent = expected = 0.0  # of the rows measured so far: estimates are corrected by their ratio
    start, result = time.monotonic(), dict(machine=machine(), started=time.strftime("%Y-%m-%d %H:%M"), rows=[])
    for r in rows():
        left, path = options.budget - 15 - (time.monotonic() - start), file_of(options, r["model"])
        needs = estimate(r) * (spent / expected if spent else 1)
        why = None
        if not path.exists():
            why = "no such model; --prepare makes it"
        elif r["depth"] and not state_of(options, r).exists():
            why = "no cached state; --prepare makes it"
        elif needs > left:
            why = f"needs about {needs:.0f} s, {max(left, 0):.0f} s are left"
        if not why:
            warm(path)
            load, began = os.getloadavg()[0], time.monotonic()
            others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(r["busy"])]
            try:
                run = subprocess.run(command(options, r), capture_output=True, text=True, timeout=max(left, 1))
            except subprocess.TimeoutExpired:
                run = subprocess.CompletedProcess([], 1, "", f"stopped after {left:.0f} s")
            finally:
                for other in others:
                    other.kill()
                    other.wait()
            r.update(seconds=round(time.monotonic() - began, 1), load=load)
            spent, expected = spent + r["seconds"], expected + estimate(r)
            if run.returncode != 0:
                why = run.stderr.strip()
            else:
                r["tests"] = [json.loads(line) for line in run.stdout.splitlines()]
        print(f"{r['label']:7} {r['model']:22}", f"skipped: {why}" if why else "  ".join(
            f"{t['test']} {t['tokens_per_second']:.1f} ({t['share_of_limit']:.2f})" for t in r["tests"]), flush=True)
        result["rows"].append(dict(r, skipped=why))
        options.out.write_text(json.dumps(result, indent=1) + "\n")
    result.update(programs(options))
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(f"{time.monotonic() - start:.0f} s; stored in {options.out}")


def programs(options):
    """What the other programs of this folder print; seconds each."""
    folder, found = options.lm.resolve().parents[2] / "tests/bench", {}
    cases, vocabularies = options.reference / "fixtures/schema/cases.json", sorted(options.reference.glob("data/vocab/*.gguf"))
    for name, arguments in (("pool", ["2"]), ("sampler", []), ("grammar", ["--json", cases, *vocabularies])):
        if not (folder / f"bench_{name}").exists() or (name == "grammar" and not (cases.exists() and vocabularies)):
            print(f"skipped: bench_{name} (not built, or its cases are not in {options.reference})")
            continue
        run = subprocess.run([str(folder / f"bench_{name}"), *map(str, arguments)], capture_output=True, text=True)
        if run.returncode != 0:
            print(f"skipped: bench_{name}: {run.stderr.strip()}")
        else:
            found[name] = [json.loads(line) for line in run.stdout.splitlines()] if name == "grammar" else run.stdout
    return found


def machine():
    name, cpuinfo = platform.processor(), pathlib.Path("/proc/cpuinfo")
    if cpuinfo.exists():
        facts = dict(line.split(":", 1) for line in cpuinfo.read_text().split("\n\n")[0].splitlines() if ":" in line)
        facts = {k.strip(): v.strip() for k, v in facts.items()}
        name = facts.get("model name", name)
        if "cpu family" in facts:
            name += f" (family {facts['cpu family']}, model {facts['model']})"
    return dict(cpu=name, processors=os.cpu_count(), system=platform.system())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lm", type=pathlib.Path, default=TOP / "build/examples/lm/lm")
    parser.add_argument("--models", type=pathlib.Path, default=TOP / "build/models")
    parser.add_argument("--generator", type=pathlib.Path, default=TOP / "../shared/tools/synth_gguf.py")
    parser.add_argument("--reference", type=pathlib.Path, default=TOP / "../shared", help="has the schemas and vocabularies of bench_grammar")
    parser.add_argument("--out", type=pathlib.Path, default=TOP / "build/sweep.json")
    parser.add_argument("--budget", type=float, default=3600, help="seconds (3600)")
    parser.add_argument("--prepare", action="store_true")
    parser.add_argument("--plan", action="store_true")
    options = parser.parse_args()
    if options.plan:
        total = 15  # the other programs
        for r in rows():
            total += estimate(r)
            ready = file_of(options, r["model"]).exists() and (not r["depth"] or state_of(options, r).exists())
            print(f"{total:5.0f} s  {r['label']:7} {'' if ready else '(to prepare) '}{' '.join(command(options, r)[1:])}")
        return 0
    if not options.lm.exists():
        sys.exit(f"sweep: {options.lm} is not built (ninja -C build)")
    options.models.mkdir(parents=True, exist_ok=True)
    prepare(options) if options.prepare else measure(options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
