"""The pictures of the console leave no page out, and small ones still show what they showed."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np

from tests.screens.album import ALBUM
from tests.screens.png import shrink
from tests.screens.scenes import SCENES, STATES, routes

DOCS = Path(__file__).parents[2] / "docs"


def test_every_route_of_the_console_is_photographed() -> None:
    assert {scene.route for scene in SCENES} == routes()


def test_every_page_is_photographed_in_every_state() -> None:
    whole = {scene.route for scene in SCENES if set(scene.states) == set(STATES)}
    assert whole == routes() - {"*"}


def test_scenes_have_names_of_their_own() -> None:
    assert len({scene.name for scene in SCENES}) == len(SCENES)


def test_the_documentation_shows_the_pictures_of_the_album_and_no_others() -> None:
    pictures = {file.stem: file.stat().st_size for file in (DOCS / "screenshots").glob("*.png")}
    assert set(pictures) == set(ALBUM)
    assert max(pictures.values()) <= 150 * 1024
    text = "".join(page.read_text("utf-8") for page in DOCS.rglob("*.md"))
    assert {name for name in ALBUM if f"screenshots/{name}.png" not in text} == set()


def test_a_small_picture_has_the_colours_of_the_large_one() -> None:
    pixels = np.zeros((4, 6, 3), np.uint8)
    pixels[1:3, 2:5] = (23, 80, 196)
    pixels[0, 0] = (255, 255, 255)
    small = shrink(pixels)
    assert _decoded(small) == pixels.tobytes()


def _decoded(png: bytes) -> bytes:
    """The pixels of an 8-bit palette PNG without filters, by the letter of the specification."""
    parts: dict[bytes, bytes] = {}
    at = 8
    while at < len(png):
        (size,) = struct.unpack(">I", png[at : at + 4])
        parts[png[at + 4 : at + 8]] = png[at + 8 : at + 8 + size]
        at += 12 + size
    width, height = struct.unpack(">II", parts[b"IHDR"][:8])
    palette = [parts[b"PLTE"][i : i + 3] for i in range(0, len(parts[b"PLTE"]), 3)]
    rows = zlib.decompress(parts[b"IDAT"])
    lines = [rows[y * (width + 1) + 1 : (y + 1) * (width + 1)] for y in range(height)]
    return b"".join(palette[index] for line in lines for index in line)
