"""`python -m bench.viewer`: a planning CT in the browser: 300 slices, a million points of contours.

Measures with Debian's Chromium how long it takes until image and contours are on the screen, for
the first browser that opens the case and for the next, and how many slices are shown per second,
each with its contours.
"""

import argparse
import statistics
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from playwright.sync_api import Browser, CDPSession, Page, ViewportSize, sync_playwright
from rich.console import Console
from rich.table import Table

from tests.support.node_process import NodeProcess, wait_until
from tests.support.ports import free_port
from tests.support.web.clinic import open_clinic
from tests.support.web.planning import SIDE, SLICES, exchange_results

_SAMPLES = Path(__file__).parents[1] / "samples"
_CINE = _SAMPLES / "sunnybrook" / "dicoms" / "SCD0000501"
_CT = _SAMPLES / "sts" / "STS_003" / "image"
_CHROMIUM = "/usr/bin/chromium"
_LAPTOP = ViewportSize(width=1366, height=768)
_IMAGE = "#stage[data-index]"
_CONTOURS = '#stage[data-rests="true"][data-drawn]:not([data-drawn=""])'
_STEPS = 250
_SHOW_EACH = """async (steps) => {
  const stage = document.getElementById("stage"), began = performance.now();
  let whole = 0;
  for (let step = 1; step <= steps; step++) {
    stage.dispatchEvent(new WheelEvent("wheel", { deltaY: 40, cancelable: true }));
    while (stage.dataset.index !== String(step)) await new Promise(requestAnimationFrame);
    whole += stage.dataset.drawn !== "";
  }
  return [performance.now() - began, whole];
}"""


@dataclass
class Seen:
    """Measurements in seconds, except `each_ms`."""

    image: list[float] = field(default_factory=list)
    contours: list[float] = field(default_factory=list)
    scrolled: list[float] = field(default_factory=list)
    """Slices a second."""
    whole: list[float] = field(default_factory=list)
    """Share of the slices that were shown with contours at once."""
    each_ms: list[float] = field(default_factory=list)
    """Processor time of the browser's main thread per slice."""


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--structures", type=int, choices=(1, 2, 3, 4), default=4)
    values = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="slicewire-bench-") as name:
        address = _prepare(Path(name), values.structures)
        node, port = NodeProcess(Path(name)), free_port()
        first, next_ones = Seen(), Seen()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
            node.start("--web-port", str(port))
            url = f"http://127.0.0.1:{port}"
            try:
                wait_until(lambda: _answers(url))
                _look(browser, url + address, first)
                for _ in range(values.rounds):
                    _look(browser, url + address, next_ones)
            finally:
                node.stop()
            browser.close()
    Console().print(_table(first, next_ones, values.structures))


def _prepare(folder: Path, structures: int) -> str:
    """Make a storage folder with the case; returns the path of its page."""
    clinic = open_clinic(folder)
    case = clinic.receive([_CINE / f"{number}.dcm" for number in (89, 99, 109, 119)])
    clinic.run()
    exchange_results(clinic, case, min(_CT.glob("*.dcm")), structures)
    clinic.completion.ledger.close()
    return f"/cases/{case}"


def _look(browser: Browser, address: str, seen: Seen) -> None:
    """Open and scroll with a fresh browser profile."""
    context = browser.new_context(viewport=_LAPTOP)
    page = context.new_page()
    page.goto(address, wait_until="commit")
    seen.image.append(_when(page, _IMAGE))
    seen.contours.append(_when(page, _CONTOURS))
    page.focus("#stage")
    page.keyboard.press("Home")
    page.wait_for_selector(_CONTOURS.replace("#stage", '#stage[data-index="0"]'))
    client = context.new_cdp_session(page)
    client.send("Performance.enable", {"timeDomain": "threadTicks"})
    before_s = _busy_s(client)
    took_ms, whole = page.evaluate(_SHOW_EACH, _STEPS)
    seen.scrolled.append(1000 * _STEPS / took_ms)
    seen.whole.append(whole / _STEPS)
    seen.each_ms.append(1000 * (_busy_s(client) - before_s) / _STEPS)
    context.close()


def _when(page: Page, selector: str) -> float:
    """Seconds from the navigation until `selector` matches."""
    page.wait_for_selector(selector, timeout=60_000)
    return float(page.evaluate("performance.now()")) / 1000


def _busy_s(client: CDPSession) -> float:
    metrics = client.send("Performance.getMetrics")["metrics"]
    return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/live").status_code == 200
    except httpx.TransportError:
        return False


def _table(first: Seen, next_ones: Seen, structures: int) -> Table:
    table = Table(
        "opened", "image s", "contours s", "slices a second", "with contours", "ms each", box=None
    )
    table.title = (
        f"{SLICES} slices of {SIDE} x {SIDE}, {structures} structures, 1366 x 768 on the screen"
    )
    for name, seen in (("by the first", first), ("by the next", next_ones)):
        figures = (seen.image, seen.contours, seen.scrolled, seen.whole, seen.each_ms)
        image, contours, scrolled, whole, each_ms = map(statistics.median, figures)
        row = (f"{image:.2f}", f"{contours:.2f}", f"{scrolled:.0f}", f"{whole:.0%}")
        table.add_row(name, *row, f"{each_ms:.1f}")
    return table


if __name__ == "__main__":
    main()
