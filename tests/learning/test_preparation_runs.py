"""A run adds patients, can be run again, and loses nothing that was finished."""

import fcntl
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.errors import ConfigurationError, LearningDataError
from model import prepare
from model.data.data_set_file import open_data_set
from model.data.samples import fingerprint
from model.preparation.inputs.cases import Plan
from model.preparation.patient import RunContext, prepare_patient
from model.preparation.run import Settings, run
from tests.learning.blobs import STRUCTURES, part
from tests.learning.processes import SyntheticTask
from tests.learning.reports import report_of
from tests.learning.runs import ran, ran_in_processes

ROOT = Path(__file__).parent.parent.parent


def test_patients_are_added_and_those_who_are_there_are_not_read_again(tmp_path: Path) -> None:
    output = tmp_path / "data.h5"
    first = ran_in_processes(output, [SyntheticTask("a"), SyntheticTask("b")])
    assert first.merged.added == ("a", "b")
    # a task that would fail if it were run
    again = ran(output, [SyntheticTask("a", "fail"), SyntheticTask("b"), SyntheticTask("c")])
    assert (again.merged.added, again.merged.same) == (("c",), ("a", "b"))
    assert not again.remarks
    assert open_data_set(output).patients == ("a", "b", "c")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.h5"]


def test_other_content_is_named_and_stays_unless_it_is_to_be_replaced(tmp_path: Path) -> None:
    output = tmp_path / "data.h5"
    ran(output, [SyntheticTask("a")])
    before = fingerprint(open_data_set(output).samples())
    result = ran(output, [SyntheticTask("a", seed=5)])
    assert [one.words for one in result.remarks] == [
        "a was in the data set with other content, which is kept (--replace takes the new)"
    ]
    assert fingerprint(open_data_set(output).samples()) == before
    ran(output, [SyntheticTask("a", seed=5)], replace=True)
    assert fingerprint(open_data_set(output).samples()) != before


def test_a_patient_whose_process_dies_is_named_and_the_others_are_kept(tmp_path: Path) -> None:
    tasks = [SyntheticTask(name, "die" if name == "b" else "") for name in "abc"]
    result = ran_in_processes(tmp_path / "data.h5", tasks)
    assert result.merged.added == ("a", "c")
    assert [(one.key, one.words) for one in result.remarks] == [
        ("b", "b: its process died (out of memory?)")
    ]


def test_an_unforeseen_fault_is_named_without_its_words(tmp_path: Path) -> None:
    result = ran(tmp_path / "data.h5", [SyntheticTask("a", "fail"), SyntheticTask("b")])
    assert result.merged.added == ("b",)
    (remark,) = result.remarks
    assert "ZeroDivisionError at processes.py" in remark.words
    assert "Doe" not in remark.words


def test_a_full_disk_ends_the_run_and_the_next_one_goes_on(tmp_path: Path) -> None:
    output = tmp_path / "data.h5"
    tasks = [SyntheticTask("a"), SyntheticTask("b", "full")]
    with pytest.raises(OSError, match="No space"):
        ran_in_processes(output, tasks)
    assert not output.exists()
    # a was finished: it would fail if it were run again
    result = ran(output, [SyntheticTask("a", "fail"), SyntheticTask("b")])
    assert set(open_data_set(output).patients) == {"a", "b"}
    assert not result.remarks


def test_what_a_killed_run_left_is_taken_over_or_done_again(tmp_path: Path) -> None:
    output = tmp_path / "data.h5"
    settings = Settings(output, 1)
    settings.parts.mkdir()
    context = RunContext(settings.parts, None, STRUCTURES, {}, 1)
    prepare_patient(SyntheticTask("a"), context)
    context.part("b").write_bytes(b"half a file")
    (settings.parts / ".c.h5.123").write_bytes(b"not finished")
    result = ran(output, [SyntheticTask("a", "fail"), SyntheticTask("b")])
    assert result.merged.added == ("a", "b")
    assert not settings.parts.exists()


def test_a_run_that_is_killed_leaves_no_process_and_is_gone_on_with(array_folder: Path) -> None:
    output = array_folder.parent / "data.h5"
    parts = Settings(output, 1).parts
    code = (
        "from pathlib import Path; from tests.learning.processes import SyntheticTask; "
        "from tests.learning.runs import ran_in_processes; "
        f"output = Path({str(output)!r}); "
        "ran_in_processes(output, [SyntheticTask('a'), SyntheticTask('b', 'sleep')])"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) as process:
        while not list(parts.glob("[!.]*.h5")) or not list(parts.glob(".*.h5.*")):
            assert process.poll() is None
            time.sleep(0.05)
        children = _children(process.pid)
        process.kill()
    assert children
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in children):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert ran(output, [SyntheticTask("a", "fail"), SyntheticTask("b")]).merged.added == ("a", "b")


def _children(pid: int) -> list[str]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [child for child in children if "spawn_main" in _command(child)]


def _command(pid: str) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


def test_a_second_run_on_the_same_data_set_is_refused(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "data.h5", 1)
    settings.parts.mkdir()
    with (settings.parts / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ConfigurationError, match="another run"):
            ran(tmp_path / "data.h5", [SyntheticTask("a")])


def test_a_data_set_of_other_structures_is_not_extended(tmp_path: Path) -> None:
    output = tmp_path / "data.h5"
    part(output, "a")
    plan = Plan(STRUCTURES[:1], [SyntheticTask("b")])
    with pytest.raises(LearningDataError, match="has the structures Inner, Outer"):
        run(plan, Settings(output, 1), lambda _patient: None)


def test_a_run_in_which_nobody_could_be_used_says_so_in_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link.csv").write_text("patient_id,original_id\nnobody,nothing\n")
    output = tmp_path / "data.h5"
    assert prepare.main(["--input", str(tmp_path / "in"), "--output", str(output)]) == 2
    assert "not one drawn image" in capsys.readouterr().err
    assert report_of(output)["counts"]["links to nothing"] == 1
    assert not output.exists()


def test_a_damaged_data_set_is_refused_and_left_alone(
    array_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = array_folder.parent / "data.h5"
    output.write_bytes(b"no HDF5")
    assert prepare.main(["--input", str(array_folder), "--output", str(output)]) == 2
    assert "data.h5: not a readable data set" in capsys.readouterr().err
    assert output.read_bytes() == b"no HDF5"


def test_preparing_needs_no_torch() -> None:
    code = "import sys, model.prepare; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
