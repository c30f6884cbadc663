#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write the small vocabularies of this folder and what their tokenizers must give: python3 make_vocab.py

Each NAME.gguf is trained on the text below; NAME.cases holds one case per line: flags, the text in hex, the token ids, and
the bytes that decoding them with special tokens shown gives. The tokenizers here are written from the description of the
formats in the plainest way, without an eye to speed: search all pairs, replace, repeat.
"""
import os
import random
import re
import struct
import unicodedata

HERE = os.path.dirname(os.path.abspath(__file__))
TEXT = """the library reads the words of a text and gives them back as tokens. a token is a piece of a word, a word, or a few
bytes that no word covers. the same text always gives the same tokens, whatever the machine and however long the text. when
the text ends in the middle of a letter, the letter waits for the rest. don't break what they're holding; it's theirs. 12 of
these words are short and 345 are not. a little learning is a dangerous thing, and the rest is silence, said the library."""
BLOCK = "\u2581"
ADD, PARSE = 1, 2
NORMAL, UNKNOWN, CONTROL, USER, UNUSED, BYTE = 1, 2, 3, 4, 5, 6


# ---- files ------------------------------------------------------------------------------------------------------------

def string(b):
    b = b.encode() if isinstance(b, str) else b
    return struct.pack("<Q", len(b)) + b


def value(v):
    if isinstance(v, bool):
        return struct.pack("<IB", 7, v)
    if isinstance(v, int):
        return struct.pack("<II", 4, v)
    if isinstance(v, str):
        return struct.pack("<I", 8) + string(v)
    kind, items = v
    body = {"s": lambda x: string(x), "f": lambda x: struct.pack("<f", x), "i": lambda x: struct.pack("<i", x),
            "b": lambda x: struct.pack("<B", x)}[kind]
    code = {"s": 8, "f": 6, "i": 5, "b": 0}[kind]
    return struct.pack("<IIQ", 9, code, len(items)) + b"".join(map(body, items))


def write_gguf(name, keys):
    with open(os.path.join(HERE, name + ".gguf"), "wb") as f:
        f.write(b"GGUF" + struct.pack("<IQQ", 3, 0, len(keys)))
        for k, v in keys.items():
            f.write(string(k) + value(v))


class Vocab:
    """tokens: [(text as bytes, type, score)]"""

    def __init__(self, tokens, **settings):
        self.tokens = tokens
        self.ids = {}
        for i, (text, _, _) in enumerate(tokens):
            self.ids.setdefault(text, i)
        self.__dict__.update(dict(bos=None, eos=None, unk=None, add_bos=False, add_eos=False, space_prefix=False, clean=False), **settings)

    def special(self, text, parse):
        """[(bytes or id)]: longer texts first, equal lengths by id, left to right."""
        parts = [text]
        order = sorted((i for i, (t, kind, _) in enumerate(self.tokens) if kind in (CONTROL, USER, UNKNOWN)),
                       key=lambda i: (-len(self.tokens[i][0]), i))
        for i in order:
            t, kind, _ = self.tokens[i]
            if not parse and kind != USER:
                continue
            out = []
            for part in parts:
                if isinstance(part, int):
                    out.append(part)
                    continue
                while t in part:
                    at = part.index(t)
                    out += [part[:at], i]
                    part = part[at + len(t):]
                out.append(part)
            parts = [p for p in out if p != b""]
        return parts

    def encode(self, text, flags):
        ids = []
        for part in self.special(text, flags & PARSE):
            ids += [part] if isinstance(part, int) else self.piece_ids(part)
        if flags & ADD:
            ids = ([self.bos] if self.add_bos else []) + ids + ([self.eos] if self.add_eos else [])
        return ids

    def decode(self, ids):
        out = b""
        for n, i in enumerate(ids):
            t, kind, _ = self.tokens[i]
            b = t if kind in (CONTROL, USER, UNKNOWN) else bytes([int(t[3:5], 16)]) if kind == BYTE else self.show(t)
            out += b[1:] if n == 0 and self.space_prefix and b[:1] == b" " else b
        return clean(out) if self.clean else out

    def show(self, t):
        return t.replace(BLOCK.encode(), b" ")

    def byte_ids(self, b):
        ids = [self.ids[b"<0x%02X>" % x] for x in b if b"<0x%02X>" % x in self.ids]
        return ids + ([self.unk] if len(ids) < len(b) and self.unk is not None else [])


def clean(b):
    b = re.sub(rb" ([?!.,])", rb"\1", b)
    b = re.sub(rb" ' ", b"'", b)
    return re.sub(rb" '(s|m|re|ve)", rb"'\1", b)


def repaired(b):
    """Each byte that is not part of valid UTF-8 becomes U+FFFD."""
    out, i = "", 0
    while i < len(b):
        for n in (1, 2, 3, 4):
            try:
                out += b[i:i + n].decode()
                i += n
                break
            except UnicodeDecodeError:
                pass
        else:
            out += "\ufffd"
            i += 1
    return out


def train(words, n):
    """Byte-pair merges of lists of symbols."""
    words = [list(w) for w in words]
    merges = []
    for _ in range(n):
        counts = {}
        for w in words:
            for pair in zip(w, w[1:]):
                counts[pair] = counts.get(pair, 0) + 1
        if not counts:
            break
        best = min(counts, key=lambda p: (-counts[p], p))
        merges.append(best)
        for w in words:
            i = 0
            while i + 1 < len(w):
                if (w[i], w[i + 1]) == best:
                    w[i:i + 2] = [w[i] + w[i + 1]]
                i += 1
    return merges


def merge(symbols, rank):
    """Join the pair of least rank, the leftmost of them, until none has one."""
    while True:
        best = min(((rank(a, b), i) for i, (a, b) in enumerate(zip(symbols, symbols[1:])) if rank(a, b) is not None), default=None)
        if best is None:
            return symbols
        i = best[1]
        symbols[i:i + 2] = [symbols[i] + symbols[i + 1]]


# ---- byte-level and raw BPE ---------------------------------------------------------------------------------------------

LETTERS = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
ALPHABET = {b: chr(b) for b in LETTERS}
ALPHABET.update({b: chr(0x100 + i) for i, b in enumerate(b for b in range(256) if b not in LETTERS)})
QWEN2 = re.compile(r"'(?i:s|t|re|ve|m|ll|d)|[^\r\n\w]?[^\W\d_]+|_[^\W\d_]+|\d| ?[^\s\w]+[\r\n]*| ?_+|\s*[\r\n]+|\s+(?!\S)|\s+")


class Bpe(Vocab):
    def piece_ids(self, part):
        ids = []
        for piece in QWEN2.findall(repaired(part)):
            symbols = merge([ALPHABET[b] for b in piece.encode()], lambda a, b: self.ranks.get((a, b)))
            ids += [self.ids[s.encode()] for s in symbols]
        return ids

    def show(self, t):
        back = {c: b for b, c in ALPHABET.items()}
        return bytes(back[c] for c in t.decode())


def make_bpe():
    words = [[ALPHABET[b] for b in w.encode()] for w in QWEN2.findall(TEXT)]
    merges = train(words, 250)
    texts = sorted(ALPHABET.values()) + [a + b for a, b in merges]
    texts = list(dict.fromkeys(texts))
    tokens = [(t.encode(), NORMAL, 0) for t in texts]
    special = [("<|im_end|>", CONTROL), ("<|im_start|>", CONTROL), ("ab<", USER), ("<cd>", USER), ("\n\n\n", USER), ("\n\n", USER)]
    tokens += [(t.encode(), kind, 0) for t, kind in special]
    bos = len(texts) + 1
    vocab = Bpe(tokens, bos=bos, eos=len(texts), add_bos=True, ranks={p: r for r, p in reversed(list(enumerate(merges)))})
    write(vocab, "bpe", "gpt2", {"tokenizer.ggml.pre": "qwen2", "tokenizer.ggml.merges": ("s", [a + " " + b for a, b in merges]),
                                 "tokenizer.ggml.add_bos_token": True})


class Raw(Vocab):
    def piece_ids(self, part):
        ids = []
        for piece in re.findall(r"[^\n]+|\n+", repaired(part).replace(" ", BLOCK)):
            if set(piece) == {"\n"} and piece.encode() in self.ids:
                ids.append(self.ids[piece.encode()])
                continue
            for s in merge(list(piece), lambda a, b: self.ranks.get((a, b))):
                ids += [self.ids[s.encode()]] if s.encode() in self.ids else self.byte_ids(s.encode())
        return ids


def make_raw():
    text = TEXT.replace(" ", BLOCK)
    merges = train(re.findall(r"[^\n]+|\n+", text), 200)
    texts = list(dict.fromkeys(sorted(set(text)) + [a + b for a, b in merges] + ["\n\n"]))
    tokens = [(b"<pad>", CONTROL, 0), (b"<eos>", CONTROL, 0), (b"<bos>", CONTROL, 0), (b"<unk>", UNKNOWN, 0)]
    tokens += [(b"<0x%02X>" % b, BYTE, 0) for b in range(256)] + [(t.encode(), NORMAL, 0) for t in texts]
    vocab = Raw(tokens, bos=2, eos=1, unk=3, add_bos=True, clean=True, ranks={p: r for r, p in reversed(list(enumerate(merges)))})
    write(vocab, "raw", "gemma4", {"tokenizer.ggml.pre": "gemma4", "tokenizer.ggml.merges": ("s", [a + " " + b for a, b in merges])})


# ---- SentencePiece BPE ----------------------------------------------------------------------------------------------------

def characters(b):
    out = []
    while b:
        n = 1 if b[0] < 0xC0 else 2 if b[0] < 0xE0 else 3 if b[0] < 0xF0 else 4
        out.append(b[:n])
        b = b[n:]
    return out


class Spm(Vocab):
    def piece_ids(self, part):
        text = ((b" " if self.space_prefix else b"") + part).replace(b" ", BLOCK.encode())
        ids = []
        for s in merge(characters(text), lambda a, b: -self.tokens[self.ids[a + b]][2] if a + b in self.ids else None):
            ids += [self.ids[s]] if s in self.ids else self.byte_ids(s)
        return ids


def make_spm(name, across_words):
    text = BLOCK + TEXT.replace(" ", BLOCK)
    words = [text] if across_words else re.findall(BLOCK + "[^" + BLOCK + "]*", text)
    merges = train(words, 200)
    texts = list(dict.fromkeys([a + b for a, b in merges] + [BLOCK * 2, BLOCK * 4] + sorted(set(text) - {"\n", "w"})))
    tokens = [(b"<unk>", UNKNOWN, 0), (b"<s>", CONTROL, 0), (b"</s>", CONTROL, 0)]
    tokens += [(b"<0x%02X>" % b, BYTE, 0) for b in range(256) if b != 0xFE]
    tokens += [(t.encode(), NORMAL, -float(i)) for i, t in enumerate(texts)] + [(b"<b>", USER, 0)]
    vocab = Spm(tokens, bos=1, eos=2, unk=0, add_bos=True, space_prefix=True)
    write(vocab, name, "llama", {"tokenizer.ggml.scores": ("f", [s for _, _, s in tokens])})


# ---- WordPiece --------------------------------------------------------------------------------------------------------------

class Wpm(Vocab):
    def words(self, text):
        word = ""
        for c in unicodedata.normalize("NFD", text.decode(errors="ignore")):
            kind = unicodedata.category(c)
            if c.isspace():
                yield word
                word = ""
                continue
            if c in "\0\ufffd" or kind[0] == "C" or kind == "Mn":
                continue
            c = c.lower()[0]
            if kind[0] == "P" or (kind[0] == "S" and ord(c) < 0x7F) or 0x4E00 <= ord(c) <= 0x9FFF:
                yield word
                yield c
                word = ""
            else:
                word += c
        yield word

    def piece_ids(self, part):
        out = []
        for word in filter(None, self.words(part)):
            rest, ids = (BLOCK + word).encode(), []
            while rest:
                n = next((n for n in range(len(rest), 0, -1) if rest[:n] in self.ids), 0)
                if n == 0:
                    ids = [self.unk]
                    break
                ids.append(self.ids[rest[:n]])
                rest = rest[n:]
            out += ids
        return out

    def encode(self, text, flags):
        ids = super().encode(text, 0 if not flags & PARSE else PARSE)
        return [self.bos] + ids + [self.sep] if flags & ADD else ids


SCRIPTS = "\ud55c\uad6d\uc5b4 \uac00 \u0939\u093f\u0928\u094d\u0926\u0940 \u09ae\u09cb\u099f \u0cca"  # Korean, Hindi, Bengali, a Kannada vowel of two parts


def make_wpm():
    words = sorted(set(re.findall(r"[a-z]+|[0-9]|[^\sa-z0-9]", TEXT)))
    pieces = sorted({w[i:j] for w in words[::3] for i in range(1, len(w)) for j in range(i + 1, min(len(w), i + 3) + 1)})
    texts = [BLOCK + w for w in words] + pieces + [BLOCK + c for c in "abcdefghijklmnop"] + [BLOCK + "\u4e2d"]
    for word in SCRIPTS.split(): # letters and vowel signs alone, as vocabularies of many languages have them
        letters = [c for c in unicodedata.normalize("NFD", word) if unicodedata.category(c) != "Mn"]
        texts += [BLOCK + letters[0]] + letters[1:]
    tokens = [(b"[PAD]", CONTROL, 0), (b"[UNK]", UNKNOWN, 0), (b"[CLS]", CONTROL, 0), (b"[SEP]", CONTROL, 0), (b"[MASK]", CONTROL, 0)]
    tokens += [(t.encode(), NORMAL, 0) for t in dict.fromkeys(texts)]
    vocab = Wpm(tokens, bos=2, unk=1, sep=3, clean=True)
    write(vocab, "wpm", "bert", {"tokenizer.ggml.seperator_token_id": 3, "tokenizer.ggml.padding_token_id": 0,
                                 "tokenizer.ggml.mask_token_id": 4}, [SCRIPTS.encode()] + [w.encode() for w in SCRIPTS.split()])


# ---- unigram ----------------------------------------------------------------------------------------------------------------

CHARSMAP = {"\t": " ", "\uff21": "A", "\ufb01": "fi", "\ufb01x": "x", "\u00ad": ""}


def charsmap_blob():
    """A double array in which every state has a block of 256 nodes to itself."""
    strings, offsets = b"", {}
    for v in CHARSMAP.values():
        offsets.setdefault(v, len(strings))
        if offsets[v] == len(strings):
            strings += v.encode() + b"\0"
    keys = {k.encode(): v for k, v in CHARSMAP.items()}
    states = sorted({k[:n] for k in keys for n in range(len(k) + 1)})
    place = {s: 256 * (i + 1) for i, s in enumerate(states)}
    nodes = [0] * (256 * (len(states) + 1))
    nodes[0] = place[b""] << 10
    for s in states:
        if s:
            at = place[s[:-1]] ^ s[-1]
            nodes[at] = s[-1] | (0x100 if s in keys else 0) | (at ^ place[s]) << 10
        if s in keys:
            nodes[place[s]] = 0x80000000 | offsets[keys[s]]
    return struct.pack("<I", 4 * len(nodes)) + struct.pack("<%dI" % len(nodes), *nodes) + strings


class Ugm(Vocab):
    def normal(self, text):
        out, i, run, owed = b"", 0, False, self.space_prefix
        users = [t for t, kind, _ in self.tokens if kind == USER]
        keys = {k.encode(): v.encode() for k, v in CHARSMAP.items()}
        while i < len(text):
            user = max((n for t in users for n in range(len(t) + 1) if text[i:i + n] == t[:n]), default=0)
            key = max((len(k) for k in keys if text.startswith(k, i)), default=0)
            if user:
                piece, n = text[i:i + user], user
            elif key:
                piece, n = keys[text[i:i + key]], key
            else:
                good = next((n for n in (1, 2, 3, 4) if valid(text[i:i + n])), 0)
                piece, n = (text[i:i + good], good) if good else (b"\xef\xbf\xbd", 1)
            for c in piece:
                if c != 32:
                    if not run:
                        run = True
                        if owed or self.merging:
                            out += BLOCK.encode()
                        owed = False
                    out += bytes([c])
                else:
                    run = False
                    if not self.merging:
                        out += BLOCK.encode()
            i += n
        return out

    def piece_ids(self, part):
        text = self.normal(part)
        best = {0: (0.0, 0, None)}
        least = min(s for _, kind, s in self.tokens if kind == NORMAL) - 10
        i = 0
        while i < len(text):
            n = len(characters(text[i:])[0])
            single = False
            for end in range(i + 1, min(len(text), i + 40) + 1):
                t = self.ids.get(text[i:end])
                if t is None or self.tokens[t][1] not in (NORMAL, USER, UNUSED):
                    continue
                single |= end - i == n
                score = best[i][0] + (0 if self.tokens[t][1] == USER else self.tokens[t][2])
                if end not in best or score > best[end][0]:
                    best[end] = (score, i, t)
            if not single and (i + n not in best or best[i][0] + least > best[i + n][0]):
                best[i + n] = (best[i][0] + least, i, self.unk)
            i += n
        ids, at = [], len(text)
        while at > 0:
            _, start, t = best[at]
            if not (ids and t == self.unk and ids[-1] == self.unk):
                ids.append(t)
            at = start
        return ids[::-1]


def valid(b):
    try:
        b.decode()
        return len(b) > 0
    except UnicodeDecodeError:
        return False


def make_ugm():
    words = re.findall(r"\S+", TEXT)
    counts = {}
    for w in words:
        w = BLOCK + w
        for i in range(len(w)):
            for j in range(i + 1, min(len(w), i + 6) + 1):
                counts[w[i:j]] = counts.get(w[i:j], 0) + 1
    texts = sorted((t for t in counts if counts[t] > 3 or len(t) == 1), key=lambda t: (-counts[t] * len(t), t))[:300]
    tokens = [(b"<pad>", CONTROL, 0), (b"</s>", CONTROL, 0), (b"<unk>", UNKNOWN, 0), (b"<x>", USER, 0), (b"<xyz>", USER, 0)]
    tokens += [(t.encode(), NORMAL, struct.unpack("<f", struct.pack("<f", -1 - i * 0.03))[0]) for i, t in enumerate(texts)]
    vocab = Ugm(tokens, eos=1, unk=2, add_eos=True, space_prefix=True, merging=True)
    write(vocab, "ugm", "t5", {"tokenizer.ggml.scores": ("f", [s for _, _, s in tokens]), "tokenizer.ggml.add_space_prefix": True,
                               "tokenizer.ggml.remove_extra_whitespaces": True,
                               "tokenizer.ggml.precompiled_charsmap": ("b", list(charsmap_blob()))})


# ---- RWKV and PLaMo-2 -------------------------------------------------------------------------------------------------------

class Rwkv(Vocab):
    def piece_ids(self, part):
        ids = []
        while part:
            n = next((n for n in range(len(part), 0, -1) if part[:n] in self.plain), 0)
            ids += [self.plain[part[:n]]] if n else []
            part = part[n or 1:]
        return ids

    def show(self, t):
        return next(b for b, i in self.plain.items() if self.tokens[i][0] == t)


def make_rwkv():
    texts = [bytes([b]) for b in range(256) if b != 0xFD]
    texts += sorted({w.encode() for w in re.findall(r" ?[a-z]{2,}", TEXT)}) + ["\u4e2d\u6587".encode(), b"\r\n", b"\\n"]

    def escape(b):
        out = b""
        for c in b:
            out += {9: b"\\t", 10: b"\\n", 13: b"\\r", 92: b"\\\\"}.get(c) or (bytes([c]) if 32 <= c < 127 else b"\\x%02x" % c)
        return out
    tokens = [(b"<s>", CONTROL, 0)] + [(escape(t), NORMAL, 0) for t in texts]
    vocab = Rwkv(tokens, plain={t: i + 1 for i, t in enumerate(texts)})
    write(vocab, "rwkv", "rwkv", {})


class Plamo2(Vocab):
    def piece_ids(self, part):
        text = repaired(part)
        text = text[1:] if text[:1] == "\ufeff" else text
        best = {len(text): (0, 0, None)}
        for i in range(len(text) - 1, -1, -1):
            options = [(best[i + 1][0] + 10000000, -1, None)]
            for n in range(1, len(text) - i + 1):
                t = self.ids.get(text[i:i + n].encode())
                if t is not None and self.tokens[t][1] != BYTE:
                    options.append((best[i + n][0] - round(1e4 * self.tokens[t][2]), -n, t))
            best[i] = min(options, key=lambda o: o[:2])
        ids, i = [], 0
        while i < len(text):
            _, n, t = best[i]
            ids += self.byte_ids(text[i].encode()) if t is None else [t]
            i += -n
        return ids

    def show(self, t):
        return t


def make_plamo2():
    counts = {}
    for i in range(len(TEXT)):
        for j in range(i + 1, min(len(TEXT), i + 7) + 1):
            counts[TEXT[i:j]] = counts.get(TEXT[i:j], 0) + 1
    texts = sorted((t for t in counts if counts[t] > 4 or len(t) == 1), key=lambda t: (-counts[t] * len(t), t))[:250]
    tokens = [(b"<|plamo:unk|>", UNKNOWN, 0), (b"<|plamo:bos|>", CONTROL, 0), (b"<|plamo:eos|>", CONTROL, 0), (b"<|plamo:pad|>", CONTROL, 0)]
    tokens += [(b"<0x%02X>" % b, BYTE, 0) for b in range(256)]
    tokens += [(t.encode(), NORMAL, struct.unpack("<f", struct.pack("<f", -2 - (i // 3) * 0.25))[0]) for i, t in enumerate(texts)]
    vocab = Plamo2(tokens, bos=1, eos=2, unk=0)
    write(vocab, "plamo2", "plamo2", {"tokenizer.ggml.scores": ("f", [s for _, _, s in tokens])})


# ---- cases ------------------------------------------------------------------------------------------------------------------

def texts():
    yield from (TEXT.encode(), b"", b" ", b"  ", b"\n", b"a", b"hello world", b" the  library   reads", b"it's what they're doing, isn't it ?")
    yield from ("caf\u00e9 na\u00efve \u4e2d\u6587 \U0001f600!".encode(), b"ab<cd> x<cd>ab<cd>\n\n\n\n\nend", b"<b>the</b> <b> word",
                b"<|im_start|>user\nhi<|im_end|>\n", b"<s> a </s><unk> [MASK] [CLS]", b"<x><xy<xyz>>", b"\xff\xfe bad \xe4\xb8 \xf0\x9f\x98",
                "\uff21\ufb01x\ufb01\tq\u00adz".encode(), "\ufeffbom".encode(), b"the\tlibrary\r\nreads", b"\x00\x01\x7f",
                b"<bos><eos>\n\n", b"aaaaaaaaaaaaaaaaaaaa", b"    indented  ' quoted ' and ' s", b"zzqqxxjjvv kkww \xfe\xfd")
    rng = random.Random(7)
    for n in range(16):
        yield "".join(rng.choice("theword as.,'\n  12\u00e9\u4e2d") for _ in range(5 + 6 * n)).encode()


def write(vocab, name, model, keys, more=()):
    base = {"general.architecture": "test", "tokenizer.ggml.model": model,
            "tokenizer.ggml.tokens": ("s", [t for t, _, _ in vocab.tokens]),
            "tokenizer.ggml.token_type": ("i", [kind for _, kind, _ in vocab.tokens])}
    for role in ("bos", "eos", "unk"):
        if getattr(vocab, role) is not None:
            base["tokenizer.ggml.%s_token_id" % {"unk": "unknown"}.get(role, role)] = getattr(vocab, role)
    write_gguf(name, {**base, **keys})
    with open(os.path.join(HERE, name + ".cases"), "w") as f:
        for text in [*texts(), *more]:
            for flags in (0, ADD, PARSE, ADD | PARSE) if b"<" in text or len(text) < 8 else (ADD,):
                ids = vocab.encode(text, flags)
                f.write("%d %s : %s : %s\n" % (flags, text.hex(), " ".join(map(str, ids)), vocab.decode(ids).hex()))


make_bpe()
make_raw()
make_spm("spm", False)
make_spm("spm_across", True)
make_wpm()
make_ugm()
make_rwkv()
make_plamo2()
