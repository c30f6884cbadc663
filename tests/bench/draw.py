#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Turn what sweep.py stored into the tables of doc/performance.md and the drawing doc/roofline.svg.

    draw.py [SWEEP.json]      default: build/sweep.json

Only the text between the two marks in doc/performance.md is replaced."""
import json
import math
import pathlib
import statistics
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
BEGIN, END = "<!-- measured: tests/bench/draw.py writes from here", "<!-- measured: to here -->"
# Shares that are aimed at: prefill, decode.
AIMS = {"llama-3.2-1b q4_0": (0.50, 0.86), "llama-3.2-1b q4_k_m": (0.50, 0.86), "qwen3-4b q4_0": (0.52, 0.87), "qwen3-4b q4_k_m": (0.52, 0.87),
        "qwen3-0.6b q8_0": (0.48, 0.86), "llama-3.2-1b iq4_xs": (0.44, 0.80), "llama-3.2-1b q6_k": (0.44, 0.80),
        "llama-3.2-1b q5_k": (0.44, 0.80), "qwen3-30b-a3b q4_k_s": (0.30, 0.75), "qwen3.5-0.8b q4_k_m": (0.48, 0.86), "qwen3.5-2b q4_k_m": (0.48, 0.86),
        "qwen3.5-4b q4_k_m": (0.48, 0.86), "qwen3.5-9b q4_k_m": (0.48, 0.86), "qwen3.5-35b-a3b q4_k_s": (None, 0.75)}


def table(head, lines):
    return "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head)] + ["| " + " | ".join(line) + " |" for line in lines]) + "\n"


def test_of(row, prefix):
    return next((t for t in row.get("tests", []) if t["test"].startswith(prefix)), None)


def speed(t):
    return f"{t['tokens_per_second']:.1f} ({t['min']:.1f} to {t['max']:.1f})" if t else ""


def share(t, aim=None):
    return (f"{t['share_of_limit']:.2f}" + (f" ({aim:.2f})" if aim else "")) if t else ""


def spread(values):
    return f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


class Sweep:
    def __init__(self, data):
        self.rows = [r for r in data["rows"] if not r["skipped"]]
        self.skipped = [r for r in data["rows"] if r["skipped"]]
        self.data = data
        self.share_of_median()

    def share_of_median(self):
        """One measurement of a limit may meet a busy machine: take the median of the same threads and level."""
        for name, is_limit in (("read_gb_s", lambda t: t["test"].startswith("tg")), ("int_peak_gops", lambda t: not t["test"].startswith("tg"))):
            measured = {}
            for key, t in self.tests():
                measured.setdefault(key, []).append(t[name])
            for key, t in self.tests():
                if is_limit(t):
                    t["share_of_limit"] *= t[name] / statistics.median(measured[key])

    def tests(self):
        return [((r["threads"], t["cpu"]), t) for r in self.rows for t in r["tests"]]

    def named(self, *labels):
        return [r for r in self.rows if r["label"] in labels]

    def base(self, model, prefix):
        return next((test_of(r, prefix) for r in self.named("base") if r["model"] == model), None)


def limits(s):
    lines = []
    for threads in sorted({r["threads"] for r in s.rows}):
        for level in sorted({t["cpu"] for r in s.rows for t in r["tests"]}):
            tests = [r["tests"][-1] for r in s.rows if not r["busy"] and r["threads"] == threads and r["tests"] and r["tests"][-1]["cpu"] == level]
            if tests:
                lines.append([str(threads), level, spread([t["read_gb_s"] for t in tests]), spread([t["int_peak_gops"] for t in tests])])
    return table(["threads", "level", "read, GB/s", "integer products, Gop/s"], lines)


def models(s):
    lines = []
    for r in s.named("base"):
        pp, tg, aims = test_of(r, "pp"), test_of(r, "tg"), AIMS.get(r["model"], (None, None))
        lines.append([r["model"], speed(pp), share(pp, aims[0]), speed(tg), share(tg, aims[1])])
    return table(["model", "prefill 512, tokens/s", "of integer peak (aim)", "decode, tokens/s", "of read speed (aim)"], lines)


def depth(s):
    lines = []
    for r in s.named("depth", "cache"):
        pp, tg = test_of(r, "pp"), test_of(r, "tg")
        lines.append([r["model"], r["kv"] or "f16", f"{r['prompt']}", speed(pp), share(pp), speed(tg), share(tg)])
    return table(["model", "cache", "prompt", "prefill, tokens/s", "of integer peak", "decode, tokens/s", "of read speed"], lines)


def batches(s):
    lines = []
    for r in s.named("batch"):
        tg, one = test_of(r, "tg"), s.base(r["model"], "tg")
        lines.append([r["model"], str(r["batch"]), speed(tg), f"{tg['tokens_per_second'] / one['tokens_per_second']:.2f}x" if one else "", share(tg)])
    return table(["model", "sequences", "tokens/s together", "of one sequence", "of read speed"], lines)


def ratios(s, label, what):
    lines = []
    for r in s.named(label):
        pp, tg = test_of(r, "pp"), test_of(r, "tg")
        cells = [r["model"], r["cpu"] or "best", str(r["threads"])]
        for t, prefix in ((pp, "pp"), (tg, "tg")):
            one = s.base(r["model"], prefix)
            cells += [speed(t), f"{t['tokens_per_second'] / one['tokens_per_second']:.2f}x" if one else "", share(t)]
        lines.append(cells)
    return table(["model", "level", "threads", "prefill, tokens/s", what, "of integer peak", "decode, tokens/s", what, "of read speed"], lines)


def busy(s):
    lines = []
    for r in s.named("busy"):
        cells = [r["model"], str(r["threads"])]
        for prefix in ("pp", "tg"):
            t, alone = test_of(r, prefix), s.base(r["model"], prefix)
            cells += [speed(t), f"{t['tokens_per_second'] / alone['tokens_per_second']:.2f}x" if alone else ""]
        lines.append(cells)
    return table(["model", "threads", "prefill, tokens/s", "of undisturbed", "decode, tokens/s", "of undisturbed"], lines)


def opening(s):
    lines = []
    for r in s.named("open"):
        pp, opened = test_of(r, "pp"), test_of(r, "open")
        plain, whole = (1000 * r["prompt"] / t["tokens_per_second"] for t in (pp, opened))
        lines.append([r["model"], f"{pp['weights_bytes'] / 2**30:.2f} GiB", f"{plain:.0f} ms", f"{whole:.0f} ms", f"{whole - plain:.0f} ms (100)"])
    return table(["model", "weights", "16 tokens", "open and 16 tokens", "opening (at most)"], lines)


def grammars(cases):
    groups = {}
    for c in cases:
        groups.setdefault(c["name"].split("/")[0], []).append(c)
    lines = []
    for name, group in sorted(groups.items()):
        masks = [c for c in group if c["masks"]]
        cells = [name, str(len(group)), f"{statistics.median(c['compile_us'] for c in group):.0f}", f"{max(c['compile_us'] for c in group):.0f}"]
        for kind in ("cold", "warm"):
            cells += [f"{statistics.median(c[kind + '_median_us'] for c in masks):.1f}", f"{max(c[kind + '_max_us'] for c in masks):.0f}"] if masks else ["", ""]
        lines.append(cells)
    return table(["schemas", "number", "compile, median", "slowest", "mask, cold, median", "slowest", "warm, median", "slowest"], lines)


# ---- the drawing ----

COLOURS = ["#1b6ca8", "#c8553d", "#3a7d44", "#8e5ea2", "#b8860b", "#008b8b", "#a23b72", "#555555"]


def roofline(s):
    width, height, left, top, right, bottom = 860, 520, 70, 30, 230, 50
    peak = statistics.median(t["int_peak_gops"] for r in s.named("base") for t in r["tests"])
    read = statistics.median(t["read_gb_s"] for r in s.named("base") for t in r["tests"])
    x_low, x_high, y_low, y_high = 1.0, 4000.0, 10.0, 2 * peak

    def x(v):
        return left + (width - left - right) * math.log(v / x_low) / math.log(x_high / x_low)

    def y(v):
        return height - bottom - (height - top - bottom) * math.log(v / y_low) / math.log(y_high / y_low)

    def text(at_x, at_y, words, more=""):
        return f'<text x="{at_x:.1f}" y="{at_y:.1f}" {more}>{words}</text>'

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
           f'<rect width="{width}" height="{height}" fill="white"/>']
    for n in (1, 10, 100, 1000):
        out += [f'<line x1="{x(n):.1f}" y1="{top}" x2="{x(n):.1f}" y2="{height - bottom}" stroke="#ddd"/>', text(x(n), height - bottom + 18, n, 'text-anchor="middle"')]
        if y_low <= n <= y_high:
            out += [f'<line x1="{left}" y1="{y(n):.1f}" x2="{width - right}" y2="{y(n):.1f}" stroke="#ddd"/>', text(left - 6, y(n) + 4, n, 'text-anchor="end"')]
    ridge = peak / read
    out.append(f'<polyline fill="none" stroke="black" stroke-width="2" points="{x(x_low):.1f},{y(max(read * x_low, y_low)):.1f} {x(ridge):.1f},{y(peak):.1f} {x(x_high):.1f},{y(peak):.1f}"/>')
    out += [text(x(x_high) - 4, y(peak) - 6, f"{peak:.0f} Gop/s", 'text-anchor="end"'), text(x(x_low) + 8, y(read * 1.6), f"{read:.1f} GB/s"),
            text((left + width - right) / 2, height - 12, "operations per byte of weights and cache", 'text-anchor="middle"'),
            text(18, height / 2, "Gop/s", f'text-anchor="middle" transform="rotate(-90 18 {height / 2})"')]
    for i, r in enumerate(s.named("base")):
        colour = COLOURS[i % len(COLOURS)]
        for t in r["tests"]:
            at_x, at_y = x(t["ops_per_token"] / t["bytes_per_token"]), y(t["ops_per_token"] * t["tokens_per_second"] * 1e-9)
            shape = f'<circle cx="{at_x:.1f}" cy="{at_y:.1f}" r="4.5"' if i < len(COLOURS) else f'<rect x="{at_x - 4:.1f}" y="{at_y - 4:.1f}" width="8" height="8"'
            out.append(f'{shape} fill="{colour}"><title>{r["model"]} {t["test"]}: {t["share_of_limit"]:.2f}</title></{"circle" if i < len(COLOURS) else "rect"}>')
        mark = width - right + 20
        out += [f'<rect x="{mark}" y="{top + 18 * i}" width="10" height="10" rx="{5 if i < len(COLOURS) else 0}" fill="{colour}"/>', text(mark + 16, top + 9 + 18 * i, r["model"])]
    return "\n".join(out + ["</svg>"]) + "\n"


def main():
    data = json.loads(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else TOP / "build/sweep.json").read_text())
    s = Sweep(data)
    if not s.named("base"):
        sys.exit("draw: no model was measured")
    machine = data["machine"]
    parts = ["## Measured",
             f"{machine['cpu']}, {machine['processors']} processors, {machine['system']}, {data['started'][:10]}. Speeds are medians, with the slowest and the fastest run in brackets; "
             "`lm bench` says what a share is of. `tests/bench/sweep.py --prepare`, then `tests/bench/sweep.py` and `tests/bench/draw.py` make this part again. "
             "The models have public shapes and random weights.",
             "Limits, measured before each test (median and range over all of them; shares are of the median):", limits(s),
             "![Roofline](roofline.svg)", models(s)]
    for label, title, make in (("depth", "With 8192 tokens in the cache, whose bytes count as read in decode:", depth),
                               ("batch", "Sequences that decode together:", batches),
                               ("level", "With a lower instruction set forced, against the best one:", lambda s: ratios(s, "level", "of the best")),
                               ("thread", "On one thread, against two:", lambda s: ratios(s, "thread", "of two threads")),
                               ("busy", "While another process computes all the time, which leaves 1.33 of 2 processors to us:", busy),
                               ("open", "First logits of a 16-token prompt after opening a file that is in the system's memory:", opening)):
        if s.named(label):
            parts += [title, make(s)]
    if data.get("grammar"):
        parts += [f"Constrained decoding: microseconds of one thread to compile a schema, and to make one mask over {data['grammar'][0]['tokens']} tokens; warm is the same text again.",
                  grammars(data["grammar"])]
    for name, title in (("pool", "Handing work to the threads (`bench_pool`):"), ("sampler", "Choosing a token (`bench_sampler`):")):
        if data.get(name):
            parts += [title, "```text\n" + data[name].rstrip() + "\n```"]
    if s.skipped:
        parts.append("Not measured: " + "; ".join(f"{r['label']} {r['model']}{' ' + r['cpu'] if r['cpu'] else ''} ({r['skipped']})" for r in s.skipped) + ".")
    page = TOP / "doc/performance.md"
    text = page.read_text()
    if BEGIN not in text or END not in text:
        sys.exit("draw: doc/performance.md has lost its marks")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    page.write_text(before + BEGIN + " -->\n" + "\n\n".join(p.rstrip("\n") for p in parts) + "\n" + END + after)
    (TOP / "doc/roofline.svg").write_text(roofline(s))


if __name__ == "__main__":
    main()
