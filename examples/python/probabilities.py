# SPDX-License-Identifier: MIT
# %% [markdown]
# # What a model thinks comes next, and how fast
#
# Cells for a notebook or an editor that knows `# %%`; as a program: `python probabilities.py MODEL.gguf`. Figures go to files beside the
# working directory. Needs numpy and matplotlib.

# %%
import sys
import time

import matplotlib.pyplot as plt
import numpy

import lm

path = sys.argv[1] if len(sys.argv) > 1 and sys.argv[1].endswith(".gguf") else "model.gguf"
model = lm.Model(path)
print(f"{model.info.name or path}: {model.info.n_params / 1e6:.1f} M parameters, {model.info.architecture}")

# %% [markdown]
# ## The probability of each token of a text
#
# One evaluation gives a row of logits per token. Each row predicts the token after it.

# %%
text = "Once upon a time there was a small house at the edge of the wood."
tokens = model.tokenize(text)
with model.context(n_outputs=len(tokens)) as context:
    context.eval_batch([lm.BatchItem(0, tokens, lm.Logits.ALL)])
    rows = numpy.stack([context.logits(i) for i in range(context.n_logits)])
exponentials = numpy.exp(rows - rows.max(axis=1, keepdims=True))
probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
given = probabilities[numpy.arange(len(tokens) - 1), tokens[1:]]
print(f"perplexity {numpy.exp(-numpy.log(given).mean()):.2f}")

# %%
labels = [repr(model.token_piece(token, special=True).decode("utf-8", "replace"))[1:-1] for token in tokens[1:]]
figure, axes = plt.subplots(figsize=(10, 4))
axes.bar(range(len(given)), given)
axes.set_xticks(range(len(given)), labels, rotation=60, ha="right", fontsize=8)
axes.set_ylabel("probability")
axes.set_title("How likely each token was")
figure.tight_layout()
figure.savefig("token-probabilities.png", dpi=120)

# %% [markdown]
# ## The alternatives at one place
#
# The sampler reports them itself when asked for `n_probs`.

# %%
with model.context() as context, model.sampler(lm.Sampling(n_probs=10, seed=1)) as sampler:
    context.sync(tokens[: len(tokens) // 2])
    context.sample(sampler)
    alternatives, picked = sampler.candidates()
figure, axes = plt.subplots(figsize=(6, 4))
names = [repr(model.token_piece(one.token, special=True).decode("utf-8", "replace")) for one in alternatives]
axes.barh(names[::-1], [one.p for one in alternatives][::-1])
axes.set_xlabel("probability")
axes.set_title(f"after {model.detokenize(tokens[: len(tokens) // 2])[-30:]!r}")
figure.tight_layout()
figure.savefig("alternatives.png", dpi=120)

# %% [markdown]
# ## Generation speed
#
# Tokens per second against the length of the context, in windows of 32 tokens.

# %%
WINDOW = 32
lengths, speeds = [], []
generation = model.generate(text, max_tokens=256, sampling=lm.Sampling(temperature=0, ignore_eos=True))
start = time.perf_counter()
counted = 0
for _ in generation:
    if len(generation.tokens) - counted >= WINDOW:
        now = time.perf_counter()
        speeds.append((len(generation.tokens) - counted) / (now - start))
        lengths.append(len(tokens) + len(generation.tokens))
        start, counted = now, len(generation.tokens)
figure, axes = plt.subplots(figsize=(6, 4))
axes.plot(lengths, speeds, marker="o")
axes.set_xlabel("tokens in the context")
axes.set_ylabel("tokens per second")
axes.set_ylim(bottom=0)
axes.set_title("Generation speed")
figure.tight_layout()
figure.savefig("generation-speed.png", dpi=120)
print(f"{max(speeds):.0f} tokens per second at best")
model.close()
