#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes digits.bin, the data set of the demo, from the copy that scikit-learn ships.

The samples keep scikit-learn's order; nothing is selected, scaled or shuffled. README.md in this folder describes the
format, the source and the licence (CC BY 4.0). This script is only the record of where the bytes come from: the demo, its
tests and train.py read digits.bin and need no scikit-learn.

    python3 -m venv venv && venv/bin/pip install scikit-learn==1.9.1 && venv/bin/python make_digits.py
"""

import hashlib
import pathlib
import struct

import numpy as np
from sklearn.datasets import load_digits

MAGIC = b"QDIGITS1"
TRAIN_SAMPLES = 1347
LARGEST_PIXEL = 16


def main() -> None:
    digits = load_digits()
    images = digits.images.astype(np.uint8)
    labels = digits.target.astype(np.uint8)
    assert images.shape == (1797, 8, 8) and (images == digits.images).all(), "not the data set this script knows"
    assert images.max() == LARGEST_PIXEL and labels.max() == 9, "not the data set this script knows"

    header = MAGIC + struct.pack("<IHHII", len(images), 8, 8, TRAIN_SAMPLES, LARGEST_PIXEL)
    records = np.concatenate([images.reshape(-1, 64), labels[:, None]], axis=1)
    body = header + records.tobytes()
    path = pathlib.Path(__file__).with_name("digits.bin")
    path.write_bytes(body + hashlib.sha256(body).digest())
    print(f"{path.name}: {path.stat().st_size} bytes, SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main()
