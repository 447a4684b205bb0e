"""`python -m bench.screenshots`: screenshots of the pages for the documentation.

Starts a node, sends it the series, and takes `docs/images/today.png` and `docs/images/case.png` in
Debian's Chromium.
"""

import tempfile
from pathlib import Path

import httpx
from PIL import Image
from playwright.sync_api import Page, ViewportSize, sync_playwright

from tests.support.node_process import (
    SENDABLE,
    NodeProcess,
    Sink,
    send,
    series_uid,
    wait_until,
)
from tests.support.peers import EXPLICIT, IMPLICIT, associate, store_file, write_series
from tests.support.ports import free_port
from tests.support.web.screen import wait_for_image

_ROOT = Path(__file__).parents[1]
_SAMPLES = _ROOT / "samples"
_CINE = _SAMPLES / "sunnybrook" / "dicoms" / "SCD0000501"
_CT = _SAMPLES / "sts" / "STS_003" / "image"
_OTHER_CINE = _SAMPLES / "sunnybrook" / "dicoms" / "SCD0000101"
_IMAGES = _ROOT / "docs" / "images"
_CHROMIUM = "/usr/bin/chromium"
_GREYS = 52
_MOST_BYTES = 200_000


def main() -> None:
    """Write both pictures."""
    with tempfile.TemporaryDirectory() as folder:
        sink = Sink()
        node = NodeProcess(
            Path(folder, "node"),
            rules=[
                {"called_ae_title": "BLUR", "pipeline": "blur"},
                {"tags": {"Modality": "MR"}, "pipeline": "unet"},
            ],
            peers=[
                {"name": "planning", "ae_title": "TPS", "ip": "127.0.0.1", "port": sink.port},
            ],
        )
        port = free_port()
        node.start("--web-port", str(port))
        try:
            _take(node, Path(folder), f"http://127.0.0.1:{port}")
        finally:
            node.stop()
            sink.close()


def _take(node: NodeProcess, folder: Path, url: str) -> None:
    wait_until(lambda: _answers(url))
    cine = sorted(_CINE.glob("*.dcm"))
    send(node, cine)
    node.wait_for_state(series_uid(cine), "delivered")
    blurred = write_series(sorted(_CT.glob("*.dcm"))[:12], folder / "blurred")
    send(node, blurred, called="BLUR")
    node.wait_for_state(series_uid(blurred), "delivered")
    _send_cut_off(node, write_series(sorted(_CT.glob("*.dcm"))[:6], folder / "held"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport=ViewportSize(width=1280, height=860))
        page.goto(f"{url}/cases/1")
        _take_case(page)
        send(node, write_series(sorted(_OTHER_CINE.glob("*.dcm")), folder / "running"))
        page.goto(url)
        page.locator("#under-way progress").wait_for(timeout=60_000)
        page.wait_for_timeout(1500)
        _save(page, _IMAGES / "today.png")
        browser.close()


def _take_case(page: Page) -> None:
    wait_for_image(page)
    page.locator("#structures tbody tr").first.wait_for()
    page.focus("#stage")
    for key in ("ArrowUp", "z", "-"):
        page.keyboard.press(key)
    page.wait_for_timeout(800)
    page.locator("#view").focus()
    page.locator("#view").blur()
    _save(page, _IMAGES / "case.png")


def _save(page: Page, path: Path) -> None:
    """Save with fewer grey levels, but with every colour that occurs more than twice."""
    page.screenshot(path=path)
    with Image.open(path) as taken:
        picture = taken.convert("RGB")
    picture.quantize(palette=_palette(picture), dither=Image.Dither.NONE).save(path, optimize=True)
    size = path.stat().st_size
    if size > _MOST_BYTES:
        raise SystemExit(f"{path.name}: {size} bytes, expected at most {_MOST_BYTES}")


def _palette(picture: Image.Image) -> Image.Image:
    found = picture.getcolors(picture.width * picture.height) or []
    counted = sorted(found, key=lambda one: -one[0])
    colours = [rgb for _, rgb in counted if isinstance(rgb, tuple) and max(rgb) - min(rgb) > 8]
    greys = [(level, level, level) for level in range(0, 256, 256 // (_GREYS - 1))]
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for rgb in (greys + colours)[:256] for part in rgb])
    return palette


def _send_cut_off(node: NodeProcess, paths: list[Path]) -> None:
    with associate(node.address, syntaxes=(EXPLICIT, IMPLICIT), classes=SENDABLE) as association:
        for path in paths:
            store_file(association, path)
        association.abort()
    node.wait_for_state(series_uid(paths), "held")


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/live").status_code == 200
    except httpx.TransportError:
        return False


if __name__ == "__main__":
    main()
