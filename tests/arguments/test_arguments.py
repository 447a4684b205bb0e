"""What a command line may look like, and what is said when it is wrong."""

import pytest

from core.command_line import ArgumentParser, ae_title, listen_port, port, seconds
from core.errors import ConfigurationError


@pytest.fixture
def parser() -> ArgumentParser:
    """A door with one flag of each type."""
    parser = ArgumentParser(prog="door")
    parser.add_argument("--scu_ip", default="127.0.0.1")
    parser.add_argument("--scu_port", type=port, default=104)
    parser.add_argument("--listen_port", type=listen_port, default=0)
    parser.add_argument("--ae_title", type=ae_title, default="US")
    parser.add_argument("--timeout", type=seconds, default=10.0)
    parser.add_argument("--echo", action="store_true")
    parser.add_argument("--expect", choices=("any", "series"))
    parser.add_argument("paths", nargs="*")
    return parser


@pytest.mark.parametrize(
    "argv",
    [["--scu_port", "11112"], ["--scu-port", "11112"], ["--scu-port=11112"], ["--scu_port=11112"]],
)
def test_hyphens_and_underscores_mean_the_same(parser: ArgumentParser, argv: list[str]) -> None:
    assert parser.parse_args(argv).scu_port == 11112


def test_a_value_keeps_its_hyphens(parser: ArgumentParser) -> None:
    values = parser.parse_args(["--scu-ip=my-host-name", "a-path", "--ae-title", "A-B"])
    assert (values.scu_ip, values.paths, values.ae_title) == ("my-host-name", ["a-path"], "A-B")


def test_what_follows_two_hyphens_is_a_path(parser: ArgumentParser) -> None:
    assert parser.parse_args(["--echo", "--", "--scu-port"]).paths == ["--scu-port"]


def test_a_path_between_flags_is_taken(parser: ArgumentParser) -> None:
    assert parser.parse_args(["--scu-port", "1", "folder", "--echo"]).paths == ["folder"]


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--scu-port", "x"], "--scu_port: expected a whole number from 1 to 65535, found 'x'"),
        (["--scu_port", "0"], "--scu_port: expected a whole number from 1 to 65535, found '0'"),
        (
            ["--listen_port", "-1"],
            "--listen_port: expected a whole number from 0 to 65535, found '-1'",
        ),
        (["--scu_port=-1"], "--scu_port: expected a whole number from 1 to 65535, found '-1'"),
        (["--timeout", "nan"], "--timeout: expected seconds above 0, found 'nan'"),
        (["--timeout", "0"], "--timeout: expected seconds above 0, found '0'"),
        (
            ["--ae_title", "SEVENTEEN LETTERS"],
            "--ae_title: expected 1 to 16 printable characters without a backslash, "
            "found 'SEVENTEEN LETTERS'",
        ),
        (["--scu-prot", "1"], "--scu-prot: no such flag, expected --scu_port"),
        (["--scu_port"], "--scu_port: expected one argument"),
        (["--expect", "all"], "--expect: invalid choice: 'all' (choose from 'any', 'series')"),
    ],
)
def test_a_mistake_is_one_sentence(parser: ArgumentParser, argv: list[str], sentence: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parser.parse_args(argv)
    assert str(caught.value) == sentence


def test_a_missing_flag_is_named() -> None:
    parser = ArgumentParser(prog="door")
    parser.add_argument("--scu_port", type=port, required=True)
    with pytest.raises(ConfigurationError, match="missing: --scu_port"):
        parser.parse_args([])


def test_a_flag_is_not_guessed_from_its_beginning(parser: ArgumentParser) -> None:
    with pytest.raises(ConfigurationError, match="--scu: no such flag"):
        parser.parse_args(["--scu", "1"])
