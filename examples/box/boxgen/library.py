# SPDX-License-Identifier: MIT
"""liblm through ctypes, as much of it as an evaluation needs: a model, a context and a chat session."""
import ctypes as c
import json


class Error(c.Structure):
    _fields_ = [("status", c.c_int32), ("line", c.c_int32), ("offset", c.c_uint64), ("message", c.c_char * 496)]


class ContextParams(c.Structure):
    _fields_ = [("struct_size", c.c_uint32)] + [(n, c.c_int32) for n in (
        "n_ctx n_seqs n_batch n_outputs k_type v_type n_threads n_checkpoints").split()] + [("cache_bytes", c.c_uint64)] + [
        (n, c.c_int32) for n in "outputs pooling n_draft".split()]  # fmt: skip


class SyncInfo(c.Structure):
    _fields_ = [("struct_size", c.c_uint32)] + [(n, c.c_int32) for n in (
        "reason n_reused n_evaluated n_known n_from_cache checkpoint").split()]  # fmt: skip


class Request(c.Structure):
    _fields_ = [("struct_size", c.c_uint32), ("max_tokens", c.c_int32), ("messages", c.c_char_p), ("messages_size", c.c_size_t),
                ("tools", c.c_char_p), ("tools_size", c.c_size_t), ("tool_choice", c.c_int32), ("reserved", c.c_int32),
                ("schema", c.c_char_p), ("schema_size", c.c_size_t), ("variables", c.c_char_p), ("variables_size", c.c_size_t),
                ("stops", c.c_void_p), ("n_stops", c.c_size_t), ("sampling", c.c_void_p), ("now", c.c_void_p), ("user", c.c_void_p),
                ("on_delta", c.c_void_p)]  # fmt: skip


class Report(c.Structure):
    _fields_ = [("struct_size", c.c_uint32), ("finish", c.c_int32), ("n_prompt", c.c_int32), ("n_generated", c.c_int32),
                ("sync", SyncInfo), ("message", c.c_void_p), ("message_size", c.c_size_t)]  # fmt: skip


class Chat:
    """A session on a model file, or on the built-in model where model is None."""

    def __init__(self, liblm, liblm_box=None, model=None):
        self.lm = c.CDLL(liblm, mode=c.RTLD_GLOBAL)
        self.model, self.context, self.session = c.c_void_p(), c.c_void_p(), c.c_void_p()
        error = Error()
        if model is None:
            opened = c.CDLL(liblm_box).lm_model_open_builtin(None, c.byref(self.model), c.byref(error))
        else:
            opened = self.lm.lm_model_open(str(model).encode(), None, c.byref(self.model), c.byref(error))
        if opened:
            raise RuntimeError(error.message.decode())
        params = ContextParams(c.sizeof(ContextParams), 1024, 1, 0, 0, 1, 1, 1, -1, 0, 0, -1, 0)
        if self.lm.lm_context_open(self.model, c.byref(params), c.byref(self.context), c.byref(error)) or \
                self.lm.lm_chat_session_create(self.model, self.context, None, c.byref(self.session), c.byref(error)):  # fmt: skip
            raise RuntimeError(error.message.decode())
        self.lm.lm_chat_session_message.restype = c.c_char_p

    def run(self, messages, tools=None, schema=None, variables=None, tool_choice=0, max_tokens=200):
        """The assistant's message and the report."""
        request, report = Request(c.sizeof(Request), max_tokens), Report(c.sizeof(Report))
        for name, value in (("messages", messages), ("tools", tools), ("schema", schema), ("variables", variables)):
            if value is not None:
                text = json.dumps(value).encode()
                setattr(request, name, text)
                setattr(request, name + "_size", len(text))
        request.tool_choice = tool_choice
        if self.lm.lm_chat_session_run(self.session, c.byref(request), c.byref(report)):
            raise RuntimeError(self.lm.lm_chat_session_message(self.session).decode())
        return json.loads(c.string_at(report.message, report.message_size)), report

    def close(self):
        self.lm.lm_chat_session_destroy(self.session)
        self.lm.lm_context_close(self.context)
        self.lm.lm_model_close(self.model)
