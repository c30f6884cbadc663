# SPDX-License-Identifier: MIT
"""A checkpoint to a GGUF file: python -m boxgen.export DIR box Q8_0 box.gguf."""
import json
import pathlib
import sys

import gguf
import numpy as np
import torch

from . import render
from .tokenizer import CONTROL, MARKS

CONTEXT = 1024  # the longest row of training
NAMES = {"box": "Box", "draft": "Box draft"}


def tokens(path, size):
    """Texts and types in the order of ids, up to the width of the embedding, and the merges."""
    model = json.loads(path.read_text())["model"]
    texts = sorted(model["vocab"], key=model["vocab"].get)
    kinds = dict.fromkeys(CONTROL, gguf.TokenType.CONTROL) | dict.fromkeys(MARKS, gguf.TokenType.USER_DEFINED)
    types = [kinds.get(t, gguf.TokenType.NORMAL) for t in texts]
    spare = size - len(texts)
    texts += [f"<|unused{i}|>" for i in range(spare)]
    types += [gguf.TokenType.UNUSED] * spare
    merges = [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]
    return texts, types, merges


def write(folder, size, kind, path):
    saved = torch.load(folder / f"{size}.pt", weights_only=False, map_location="cpu")
    s = saved["shape"]
    w = gguf.GGUFWriter(path, "qwen3")
    w.add_name(NAMES[size])
    w.add_description("a small model trained on generated conversations; comes with liblm")
    w.add_license("MIT")
    w.add_file_type(gguf.LlamaFileType[{"F32": "ALL_F32"}.get(kind, f"MOSTLY_{kind}")])
    w.add_context_length(CONTEXT)
    w.add_embedding_length(s["width"])
    w.add_block_count(s["layers"])
    w.add_feed_forward_length(s["hidden"])
    w.add_head_count(s["heads"])
    w.add_head_count_kv(s["kv_heads"])
    w.add_key_length(s["head"])
    w.add_value_length(s["head"])
    w.add_layer_norm_rms_eps(s["eps"])
    w.add_rope_freq_base(s["rope_base"])
    w.add_vocab_size(s["vocab"])
    w.add_float32("general.sampling.temp", 0.0)
    texts, types, merges = tokens(folder / "tokenizer.json", s["vocab"])
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("qwen2")
    w.add_token_list(texts)
    w.add_token_types(types)
    w.add_token_merges(merges)
    w.add_eos_token_id(texts.index("<|im_end|>"))
    w.add_pad_token_id(texts.index("<|endoftext|>"))
    w.add_add_bos_token(False)
    w.add_chat_template(render.TEXT)
    quantised = gguf.GGMLQuantizationType[kind]
    for name, tensor in saved["model"].items():
        data = tensor.float().numpy().astype(np.float32)
        if data.ndim == 2 and kind != "F32":
            w.add_tensor(name, gguf.quants.quantize(data, quantised), raw_dtype=quantised)
        else:
            w.add_tensor(name, data)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


if __name__ == "__main__":
    folder, size, kind, path = sys.argv[1:]
    write(pathlib.Path(folder), size, kind, path)
