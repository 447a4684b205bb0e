"""Report of an evaluation as a self-contained HTML page, worst instances first."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from imaging.contours.tracing import mask_to_polygons
from imaging.pictures import Outline, Panel, box_around, overview_picture
from model.data.samples import Defect, Masks, Sample
from model.evaluation.measure import Measurement
from model.evaluation.score_table import HEADINGS, cells_of
from model.evaluation.summaries import Summary

BY_HAND = (0, 158, 115)
BY_MODEL = (213, 94, 0)
"""Bluish green and vermillion of Okabe and Ito, distinguishable by colour-blind readers."""
_MARGIN_PIXELS = 25.0
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem;
  color: #1b1b1f; background: #fff }
table { border-collapse: collapse } th, td { padding: .2rem .7rem; border-bottom: 1px solid #ccc;
  text-align: right } th:nth-child(-n+2), td:nth-child(-n+2) { text-align: left }
.slices { display: grid; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); gap: 1rem }
figure { margin: 0 } img { max-width: 100% } figcaption { font-size: .85rem }
.hand { color: #007a59; font-weight: 600 } .model { color: #b34e00; font-weight: 600 }
"""


@dataclass(frozen=True, slots=True)
class Slice:
    """Measurement of one structure on one instance, with a picture of both outlines."""

    measurement: Measurement
    picture: str
    """PNG of both outlines, in base64."""


def draw_slice(sample: Sample, measurement: Measurement, truth: Masks, found: Masks) -> Slice:
    """Draw the outlines of `truth` and `found` `[row, column]` on the image around them."""
    outlines = [
        Outline(polygon, color)
        for mask, color in ((truth, BY_HAND), (found, BY_MODEL))
        for polygon in mask_to_polygons(mask)
    ]
    rows, columns = sample.pixel_spacing_mm
    panel = Panel(sample.image, outlines, "", aspect=rows / columns)
    content = io.BytesIO()
    box = box_around([panel], _MARGIN_PIXELS)
    overview_picture([panel], box=box).save(content, format="PNG")
    return Slice(measurement, base64.b64encode(content.getvalue()).decode())


@dataclass(frozen=True, slots=True)
class Findings:
    """Texts of the page."""

    words: str
    """Models and the patients they were measured on."""
    notes: Sequence[str] = ()
    """Notes for the reader (`notes_on`)."""
    damaged: Sequence[Defect] = ()
    """Images that could not be read."""


def page(
    title: str, summaries: Sequence[Summary], slices: Sequence[Slice], findings: Findings
) -> str:
    """HTML of the whole page."""
    heads = "".join(f"<th scope=col>{escape(one)}</th>" for one in HEADINGS)
    rows = "\n".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells_of(one)) + "</tr>"
        for one in summaries
    )
    figures = "\n".join(_figure(one) for one in slices)
    return f"""<!doctype html>
<html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width">
<title>{escape(title)}</title><style>{_STYLE}</style>
<h1>{escape(title)}</h1>
<p>{escape(findings.words)}</p>{_noted(findings.notes)}{_unread(findings.damaged)}
<table><thead><tr>{heads}</tr></thead><tbody>
{rows}
</tbody></table>
<p>Means are over images; each image counts once. HD95: 95th percentile of the distances between
the outlines. Mean: their mean distance. Least and largest: of the worst single image, including
images on which the two have no pixel in common, which mean distances leave out. Volume: how much
more (+) or less (-) the model drew than was drawn by hand. Lost: drawn by hand, but no pixel in
common with the model. Extra: drawn by the model only. All on the images' own grid, after the same
postprocessing as in the node.</p>
<h2>Worst first</h2>
<p><span class=hand>by hand</span>, <span class=model>by the model</span></p>
<div class=slices>
{figures}
</div>
</html>
"""


def _noted(notes: Sequence[str]) -> str:
    return "".join(f"\n<p><strong>{escape(note)}.</strong></p>" for note in notes)


def _unread(damaged: Sequence[Defect]) -> str:
    """List of the images that are missing from the figures."""
    if not damaged:
        return ""
    items = "".join(f"<li>{escape(one.key)}: {escape(one.reason)}</li>" for one in damaged)
    return f"\n<h2>Could not be read, not counted: {len(damaged)}</h2><ul>{items}</ul>"


def _figure(one: Slice) -> str:
    measured = one.measurement
    words = (
        f"{measured.key} {measured.structure}: Dice {measured.dice:.3f}, "
        f"HD95 {measured.hausdorff_95_mm:.1f} mm"
    )
    if measured.model:
        words += f" ({measured.model})"
    source = f"data:image/png;base64,{one.picture}"
    return (
        f'<figure><img loading=lazy alt="{escape(words)}" src="{source}">'
        f"<figcaption>{escape(words)}</figcaption></figure>"
    )
