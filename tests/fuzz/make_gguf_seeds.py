#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write the seeds of fuzz_gguf: one good file and one file per known class of reader bug, named after it."""
import struct
import sys
from pathlib import Path


def text(s):
    return struct.pack('<Q', len(s)) + s


def file(tensors=b'', n_tensors=0, values=b'', n_values=0, data=b''):
    head = b'GGUF' + struct.pack('<IQQ', 3, n_tensors, n_values) + values + tensors
    return head + bytes(-len(head) % 32) * bool(n_tensors) + data


def tensor(name, dims, kind, offset):
    return text(name) + struct.pack(f'<I{len(dims)}qiQ', len(dims), *dims, kind, offset)


def array(key, kind, count, data):
    return text(key) + struct.pack('<IIQ', 9, kind, count) + data


SEEDS = {
    'good': file(tensor(b'a', [32], 0, 0) + tensor(b'b', [32, 2], 2, 128), 2,
                 text(b'k') + struct.pack('<II', 4, 7) + array(b's', 8, 2, text(b'x') + text(b'')), 2, bytes(192)),
    'string-length-wraps': file(values=struct.pack('<Q', 2**64 - 1) + bytes(16), n_values=1),
    'array-count-overflows': file(values=array(b'a', 10, 2**61, bytes(16)), n_values=1),
    'array-of-arrays': file(values=array(b'a', 9, 2**31, bytes(64)), n_values=1),
    'n-values-huge': file(n_values=2**63 - 1),
    'n-tensors-negative': file(n_tensors=2**64 - 1),
    'dimension-zero': file(tensor(b't', [0, 4], 0, 0), 1, data=bytes(64)),
    'dimension-negative': file(tensor(b't', [-1], 0, 0), 1, data=bytes(64)),
    'type-negative': file(tensor(b't', [32], -1, 0), 1, data=bytes(128)),
    'size-overflows': file(tensor(b't', [2**31, 2**31], 28, 0), 1, data=bytes(64)),
    'sum-of-sizes-overflows': file(tensor(b's', [2**62], 24, 0) + tensor(b't', [2**62], 24, 2**62), 2, data=bytes(64)),
    'offset-wraps': file(tensor(b't', [32], 0, 2**64 - 32), 1, data=bytes(128)),
    'data-cut': file(tensor(b't', [32], 0, 0), 1, data=bytes(127)),
    'alignment-huge': file(tensor(b't', [32], 0, 0), 1, text(b'general.alignment') + struct.pack('<II', 4, 2**31), 1, bytes(128)),
    'alignment-of-another-type': file(tensor(b't', [32], 0, 0), 1, text(b'general.alignment') + struct.pack('<IQ', 10, 32), 1, bytes(128)),
}

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
for name, data in SEEDS.items():
    (folder / f'{name}.gguf').write_bytes(data)
