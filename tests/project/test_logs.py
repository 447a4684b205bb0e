"""Logs are readable on a terminal, JSON on request, and whole in the rotating file."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = """
import sys, logging, warnings
from pathlib import Path
import structlog
from core.log import configure_logging
configure_logging("info", json_lines=sys.argv[1] == "json", file=Path(sys.argv[2]))
log = structlog.get_logger("receive")
log.debug("association accepted")
log.info("instance stored", sop_instance_uid="1.2.3")
logging.getLogger("pydicom").warning("invalid value Secretname")
logging.getLogger("pynetdicom.acse").error("Secretname")
"""


def run(kind: str, file: Path) -> list[str]:
    command = [sys.executable, "-c", CODE, kind, str(file)]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    return ended.stderr.splitlines()


def test_a_terminal_gets_readable_lines_at_its_level(tmp_path: Path) -> None:
    [line] = run("text", tmp_path / "debug.log")
    assert "instance stored" in line
    assert "sop_instance_uid=1.2.3" in line


def test_json_lines_come_on_request(tmp_path: Path) -> None:
    [line] = run("json", tmp_path / "debug.log")
    told = json.loads(line)
    assert (told["event"], told["sop_instance_uid"]) == ("instance stored", "1.2.3")
    assert told["level"] == "info"


def test_the_file_has_everything_and_nothing_that_libraries_quote(tmp_path: Path) -> None:
    run("text", tmp_path / "debug.log")
    text = (tmp_path / "debug.log").read_text()
    events = [json.loads(line)["event"] for line in text.splitlines()]
    assert events == ["association accepted", "instance stored"]
    assert "Secretname" not in text
