"""No text of a peer, a data set or a file steers the terminal on which a command prints it."""

from io import StringIO

import pytest
from rich.table import Table

from core.console import SafeConsole
from core.plain_text import columns
from network.upper_layer.associate_pdus import read_associate
from tests.support.raw_peer import associate_rq

TITLE_OF_WINDOW = "\x1b]0;OWNED\x07"
STEERING = [TITLE_OF_WINDOW, "\x1b[2J", "\x9b31m", "\x08\x08", "a\rb", "\x7f", "\u202eevil"]


def printed(content: object) -> str:
    file = StringIO()
    console = SafeConsole(
        file=file, force_terminal=True, color_system="standard", highlight=False, width=60
    )
    console.print(content, soft_wrap=True)
    return file.getvalue()


@pytest.mark.parametrize("text", STEERING)
def test_a_line_with_a_steering_text_shows_it(text: str) -> None:
    found = printed(f"Series 1.2.3: from {text} again")
    assert text not in found
    assert not any(one in found for one in "\x1b\x9b\x08\r\x7f\u202e\x07")
    assert "from" in found


@pytest.mark.parametrize("text", STEERING)
def test_a_table_with_a_steering_text_shows_it(text: str) -> None:
    table = Table("name", style="bold")
    table.add_row(text)
    assert text not in printed(table)


def test_colours_of_the_command_itself_stay() -> None:
    table = Table("name")
    table.add_row("[red]bad[/red]")
    assert "\x1b[31mbad" in printed(table)


def test_lines_stay_lines() -> None:
    assert printed("one\ntwo") == "one\ntwo\n"


def test_a_line_feed_in_a_value_makes_no_line_of_a_list() -> None:
    lines = columns([("case", "from", "why"), ("1", "A\nB", "a\nb")])
    assert len(lines) == 2
    assert not any("\n" in line for line in lines)


@pytest.mark.parametrize("raw", [b"\x1b]0;OWNED\x07 X", b"A\x9b31mB", b"A\nB\rC"])
def test_a_title_with_control_characters_is_kept_without(raw: bytes) -> None:
    request = bytearray(associate_rq())
    request[26:42] = raw.ljust(16)
    title = read_associate(bytes(request)).calling_ae_title
    assert "\N{REPLACEMENT CHARACTER}" in title
    assert title.isprintable()
