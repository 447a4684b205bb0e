"""A disk that is full while results are written is the disk's fault, not the job's."""

from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import StorageUnavailableError
from pipeline.entry import run_job
from tests.support.jobs import request_for
from tests.support.small_disk import fill, small_disk


@pytest.mark.parametrize("leaving", [0, 150_000, 400_000, 550_000, 700_000])
def test_the_job_says_so_leaves_nothing_and_succeeds_when_there_is_space(
    ct_folder: Path, tmp_path: Path, leaving: int
) -> None:
    plain = request_for(sorted(ct_folder.glob("*.dcm"))[:8], tmp_path, "blur", {"sigma_mm": 3.0})
    with small_disk(tmp_path / "disk", "8m") as disk:
        (disk / "results").mkdir()
        request = replace(plain, output_dir=str(disk / "results" / plain.job_id))
        filling = fill(disk, leaving)
        with pytest.raises(StorageUnavailableError, match="No space left on device"):
            run_job(request, lambda *_: None, {})
        assert list((disk / "results").iterdir()) == []
        filling.unlink()
        result = run_job(request, lambda *_: None, {})
        assert len(result.instances) == 8
