#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write seeds/snapshot: changes to a saved sequence, as fuzz_snapshot.c reads them."""
import pathlib
import struct

CHECKSUM, SIZE = 1, 2


def change(offset, byte):
    return struct.pack("<IB", offset, byte)


CUT = 0xFFFFFFFF
SEEDS = {
    "unchanged": bytes([0]),
    "empty": bytes([0]) + change(CUT, 0),
    "half": bytes([CHECKSUM | SIZE]) + change(CUT, 128),
    "half-with-its-old-size": bytes([CHECKSUM]) + change(CUT, 128),
    "flipped-page": bytes([0]) + change(5000, 0x55),
    "flipped-page-mended": bytes([CHECKSUM]) + change(5000, 0x55),
    "magic": bytes([CHECKSUM]) + change(0, 0x4D),
    "version": bytes([CHECKSUM]) + change(7, 9),
    "fingerprint": bytes([CHECKSUM]) + change(8, 0),
    "n-tokens-zero": bytes([CHECKSUM]) + change(16, 0),
    "n-tokens-huge": bytes([CHECKSUM | SIZE]) + change(23, 0x7F),
    "n-tokens-one-more": bytes([CHECKSUM | SIZE]) + change(16, 71),
    "n-checkpoints-huge": bytes([CHECKSUM]) + change(55, 0xFF),
    "n-checkpoints-one": bytes([CHECKSUM]) + change(48, 1),
    "checkpoint-beyond-the-end": bytes([CHECKSUM]) + change(57, 9),
    "layer-window": bytes([CHECKSUM]) + change(72, 9),
    "layer-type": bytes([CHECKSUM]) + change(92, 8),
    "many": bytes([CHECKSUM]) + b"".join(change(i * 97, i & 255) for i in range(40)),
}

folder = pathlib.Path(__file__).parent / "seeds" / "snapshot"
folder.mkdir(parents=True, exist_ok=True)
for name, data in SEEDS.items():
    (folder / f"{name}.snapshot").write_bytes(data)
