#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make tests/golden/session/chat.gguf: a tiny random model with a chat template, for tests of sessions.

  make_session_model.py [OUT_DIR]

Every byte is a token, so it can write any text; the marks of turns are control tokens, those of tool calls are not. The
template is ours: ChatML with the tools as JSON and calls as Hermes writes them. Needs numpy.
"""
import pathlib
import sys

import make_models
from make_models import ARR, F32, I32, STR, U32, Model

TEMPLATE = """\
{%- if tools %}<|im_start|>system
Tools: {{ tools | tojson }}. Call them as <tool_call>{"name": ..., "arguments": ...}</tool_call><|im_end|>
{% endif %}
{%- for message in messages %}<|im_start|>{{ message.role }}
{{ message.content }}
{%- for call in message.tool_calls or [] %}
<tool_call>
{"name": {{ call.function.name | tojson }}, "arguments": {{ call.function.arguments | tojson }}}
</tool_call>
{%- endfor %}<|im_end|>
{% endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
WORDS = ["e", "t", "a", "o", "th", "he", "in", "the", "\u2581", "\u2581the", "\u2581a", "<tool_call>", "</tool_call>", '{"', '": ', "name", "arguments"]
TOKENS = ["<unk>", "<|im_start|>", "<|im_end|>"] + [f"<0x{i:02X}>" for i in range(256)] + WORDS


def main():
    out = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "session")
    make_models.TOKENS = TOKENS
    m = Model("llama", "chat", L=2, D=32, H=4, KV=2, F=48, dh=8, ctx=4096)
    replaced = {
        "tokenizer.ggml.scores": (F32, [0.0] * 259 + [-float(i) for i in range(len(WORDS))]),
        "tokenizer.ggml.token_type": (I32, [2, 3, 3] + [6] * 256 + [1] * len(WORDS)),
    }
    m.values = [(key, kind, replaced.get(key, value)) for key, kind, value in m.values]
    m.put("tokenizer.ggml.add_bos_token", 7, False)
    m.put("tokenizer.ggml.add_space_prefix", 7, False)
    m.put("tokenizer.chat_template", STR, TEMPLATE)
    make_models.embedding_and_output(m)
    for i in range(m.L):
        make_models.attention(m, f"blk.{i}.")
        make_models.dense(m, f"blk.{i}.")
    out.mkdir(exist_ok=True)
    (out / "chat.gguf").write_bytes(m.file())


if __name__ == "__main__":
    main()
