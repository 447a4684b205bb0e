"""What commands print: no text of a data set, a file or a peer steers the terminal."""

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from core.plain_text import without_control


class SafeConsole(Console):
    """Console that replaces control characters of every text, but line feeds."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Render segments of text; rich's own controls and colours stay as they are."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else _safe(segment)


def plain_console(*, stderr: bool = False) -> SafeConsole:
    """Console for lines as they are: without markup, colours of values, or line breaks."""
    return SafeConsole(stderr=stderr, highlight=False, markup=False, soft_wrap=True)


def _safe(segment: Segment) -> Segment:
    text = "\n".join(without_control(line) for line in segment.text.split("\n"))
    return segment if text == segment.text else Segment(text, segment.style)
