"""Every bound is a key with the default that is documented, and a test that goes beyond it."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.config.file import read_configuration
from core.config.wire import Wire
from core.errors import ConfigurationError
from tests.support.node_process import ROOT

BOUNDS = {
    name: field.default
    for name, field in Wire.model_fields.items()
    if type(field.default) in (int, float)
}
ROW = re.compile(r"^\| `wire\.(\w+)` \| ([\d.]+) \| (.+) \|$", re.MULTILINE)


def test_the_page_names_each_bound_with_its_default() -> None:
    page = (ROOT / "docs" / "security.md").read_text()
    section = page.split("## Bounds")[1].split("\n## ")[0]
    rows = {key: float(default) for key, default, _ in ROW.findall(section)}
    assert rows == BOUNDS
    assert len(ROW.findall(section)) == len(rows)


def test_the_example_of_a_configuration_has_the_defaults() -> None:
    given = yaml.safe_load((ROOT / "config.yaml").read_text())["wire"]
    assert {key: given.get(key) for key in BOUNDS} == BOUNDS


@pytest.mark.parametrize("key", BOUNDS)
def test_each_bound_is_gone_beyond_by_a_test(key: str) -> None:
    folders = (ROOT / "tests" / "security", ROOT / "tests" / "receiving")
    texts = [path.read_text() for folder in folders for path in folder.glob("test_*.py")]
    assert any(re.search(rf'"{key}": |\b{key}=', text) for text in texts)


def attempt(folder: Path, key: str, value: Any) -> str:
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump({"wire": {key: value}}))
    try:
        read_configuration(path, {})
    except ConfigurationError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("key", BOUNDS)
def test_a_bound_that_is_none_is_refused_by_name(tmp_path: Path, key: str) -> None:
    assert f"wire.{key} is -1, expected" in attempt(tmp_path, key, -1)
    assert f"wire.{key} is 'unlimited'" in attempt(tmp_path, key, "unlimited")
    for value in ("inf", "nan", "1e300"):
        assert f"wire.{key} is {float(value)}, expected" in attempt(tmp_path, key, float(value))
    assert attempt(tmp_path, key, BOUNDS[key]) == ""
