"""Every command of README and docs runs as it is written, in a copy of the checkout.

Each page's commands run one after another, in an environment that is not activated. Commands of
`make` are those of .ci/run: here `make` says that it would do them.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.documented.checkout import Checkout
from tests.support.documented.commands import ROOT, commands, pages_with_commands

PAGES = [page.relative_to(ROOT) for page in pages_with_commands()]
NEEDS_A_SERIES = (
    "docs/commands.md",
    "docs/nothing_came_back.md",
    "docs/operating.md",
    "docs/pages.md",
)
NEEDS_A_NODE = ("docs/api.md",)
NODE = ".venv/bin/python -m slicewire node"
SIMULATE = ".venv/bin/python -m slicewire simulate"
SHORT = re.compile(r"(slicewire train .*?)(;|$)")
"""A training, which is cut short here, and small where its size is not documented."""
ONE_STEP = " --max_steps 1 --num_workers 0"
SMALL = " --encoder_args 4,8 --input_shape 1,64,64"
ALSO_ONE = re.compile(
    r"ledger (release|retry|resend|cancel) "  # there is nothing to do; it says so
    r"|slicewire check|env/bin/slicewire check"  # a peer or port of the example is missing
    r"|--output tutorial_output"  # a model that was trained for a minute is too bad
)
REFUSED = re.compile("ledger rebuild")
"""Refused, since the ledger is there: exit code 2."""
ELSEWHERE = "python3 -m venv env && env/bin/pip install"


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    one = Checkout(tmp_path)
    yield one
    one.end()
    shutil.rmtree(tmp_path, ignore_errors=True)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.peer("storescu", "storescp")
@pytest.mark.parametrize("page", PAGES, ids=str)
def test_commands_of_a_page_run(page: Path, checkout: Checkout) -> None:
    prepare(str(page), checkout)
    for command in commands(ROOT / page):
        if command.startswith("make "):
            subprocess.run(["make", "-n", command.split()[1]], cwd=ROOT, check=True)
        elif not command.startswith(ELSEWHERE):
            run(command, checkout)


def test_what_is_not_run_here_is_run_by_ci() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert "python3 -m venv" in script
    assert "pip install" in script.replace('"$environment/bin/pip"', "pip")


def prepare(page: str, checkout: Checkout) -> None:
    """What a reader of that page has: a node that got a series, or a node."""
    if page in (*NEEDS_A_SERIES, *NEEDS_A_NODE):
        run(NODE, checkout)
    if page in NEEDS_A_SERIES:
        run(SIMULATE + " --output before", checkout)


def run(command: str, checkout: Checkout) -> None:
    more = ONE_STEP if "--encoder_args" in command else ONE_STEP + SMALL
    done = checkout.run(SHORT.sub(rf"\1{more}\2", command))
    if done is not None:
        said = f"{command}\n{done.returncode}\n{done.stdout}\n{done.stderr}"
        assert done.returncode in expected_codes(command), said
        assert "Traceback" not in done.stderr, said


def expected_codes(command: str) -> tuple[int, ...]:
    if REFUSED.search(command):
        return (2,)
    return (0, 1) if ALSO_ONE.search(command) else (0,)
