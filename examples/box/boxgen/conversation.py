# SPDX-License-Identifier: MIT
"""Conversations as the chat template takes them: {"messages": [...], "tools": [...], "enable_thinking": bool}."""


def user(text):
    return {"role": "user", "content": text}


def says(text, thought=None):
    message = {"role": "assistant", "content": text}
    return message if thought is None else message | {"reasoning_content": thought}


def calls(*pairs):
    """An assistant message of tool calls, each (name, arguments)."""
    return {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"type": "function", "function": {"name": n, "arguments": a}} for n, a in pairs],
    }


def result(text):
    return {"role": "tool", "content": text}


def exchange(question, answer, thought=None):
    """A question and its answer; with a thought the conversation is one that asks for thinking."""
    made = {"messages": [user(question), says(answer, thought)]}
    return made if thought is None else made | {"enable_thinking": True}
