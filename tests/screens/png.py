"""Makes a picture small: a palette of its own colours, packed as tightly as PNG can."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

COLOURS = 256
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def shrink(pixels: NDArray[Any]) -> bytes:
    """A PNG of ``pixels`` (height, width, 3; ``uint8``) in ``COLOURS`` of its colours.

    Half of them are the commonest; each of the rest is the colour that the ones before it fit
    worst, by squared distance times pixels, so that a small coloured dot keeps its colour.
    """
    height, width, _ = pixels.shape
    packed = pixels.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    colours, indexes, counts = np.unique(packed, return_inverse=True, return_counts=True)
    chosen = colours[_palette(_parts(colours), counts)]
    nearest = _nearest(_parts(colours), _parts(chosen))
    rows = np.zeros((height, width + 1), np.uint8)
    rows[:, 1:] = nearest[indexes].reshape(height, width)
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    palette = _parts(chosen).astype(np.uint8).tobytes()
    parts = (b"IHDR", header), (b"PLTE", palette), (b"IDAT", zlib.compress(rows.tobytes(), 9))
    return SIGNATURE + b"".join(_chunk(*part) for part in (*parts, (b"IEND", b"")))


def save(pixels: NDArray[Any], file: Path) -> int:
    """Write the small picture; its size in bytes."""
    return file.write_bytes(shrink(pixels))


def _palette(colours: NDArray[Any], counts: NDArray[Any]) -> list[int]:
    chosen = [int(at) for at in np.argsort(-counts, kind="stable")[: COLOURS // 2]]
    away = np.full(len(colours), np.iinfo(np.int64).max)
    for at in chosen:
        away = np.minimum(away, _away(colours, at))
    while len(chosen) < COLOURS and (away * counts).max() > 0:
        chosen.append(int((away * counts).argmax()))
        away = np.minimum(away, _away(colours, chosen[-1]))
    return chosen


def _away(colours: NDArray[Any], at: int) -> NDArray[Any]:
    away: NDArray[Any] = ((colours - colours[at]).astype(np.int64) ** 2).sum(1)
    return away


def _parts(colours: NDArray[Any]) -> NDArray[Any]:
    return np.stack([colours >> 16, (colours >> 8) & 255, colours & 255], 1).astype(np.int32)


def _nearest(colours: NDArray[Any], chosen: NDArray[Any]) -> NDArray[Any]:
    found = np.empty(len(colours), np.uint8)
    for start in range(0, len(colours), 4096):
        part = colours[start : start + 4096]
        away = ((part[:, None, :] - chosen[None, :, :]) ** 2).sum(2)
        found[start : start + 4096] = away.argmin(1)
    return found


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
