"""The pictures that the documentation shows: few, small, as one sees them without scrolling."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Browser

from tests.screens.camera import Camera, Look
from tests.screens.png import save
from tests.screens.scenes import SCENES
from tests.screens.site import Site

CHINESE, ENGLISH, DARK = Look("zh"), Look("en"), Look("en", theme="dark")
ALBUM = {
    "overview": ("overview", CHINESE),
    "overview-en": ("overview", ENGLISH),
    "live": ("live", CHINESE),
    "person": ("person", CHINESE),
    "person-en-dark": ("person", DARK),
    "person-graph": ("person-graph", CHINESE),
    "entity": ("entity", CHINESE),
    "builder": ("builder", CHINESE),
    "funnel": ("funnel", CHINESE),
    "funnel-people-en": ("funnel-people", ENGLISH),
    "journey": ("journey-send", CHINESE),
    "journey-sends": ("journey-sends", CHINESE),
    "sources": ("sources", CHINESE),
    "imports": ("imports-map", CHINESE),
    "quarantine": ("quarantine", CHINESE),
    "audit": ("audit", CHINESE),
}
PIXELS = """async (png) => {
  const image = new Image();
  image.src = "data:image/png;base64," + png;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height);
  const pen = canvas.getContext("2d");
  pen.drawImage(image, 0, 0);
  const { data } = pen.getImageData(0, 0, image.width, image.height);
  let text = "";
  for (let at = 0; at < data.length; at += 32768)
    text += String.fromCharCode(...data.subarray(at, at + 32768));
  return [image.width, image.height, btoa(text)];
}"""


def album(camera: Camera, site: Site, out: Path) -> dict[str, int]:
    """Take the documentation's pictures into ``out``; their sizes in bytes by name."""
    seen = replace(camera, whole=False)
    sizes = {}
    for name, (scene, look) in ALBUM.items():
        shot = seen.take(site, next(s for s in SCENES if s.name == scene), "full", look)
        sizes[name] = save(_pixels(camera.browser, shot.file), out / f"{name}.png")
    return sizes


def _pixels(browser: Browser, file: Path) -> NDArray[Any]:
    page = browser.new_page()
    try:
        png = base64.b64encode(file.read_bytes()).decode("ascii")
        width, height, data = page.evaluate(PIXELS, png)
    finally:
        page.close()
    flat = np.frombuffer(base64.b64decode(data), np.uint8)
    return flat.reshape(height, width, 4)[:, :, :3]
