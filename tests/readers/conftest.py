"""Phantoms on disk, and what each peer reads of them; each peer runs once for all."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.readers.answers import Answers
from tests.readers.cases import FORMS, Form, all_cases
from tests.readers.environments import PEERS, UnavailableError, python_of
from tests.support.dicom.phantom_files import ROI_NAME, Phantom, write_phantom
from tests.support.missing import unavailable

_LONGEST_S = 600


@pytest.fixture(scope="session")
def phantoms() -> dict[Form, list[Phantom]]:
    return {form: [case.phantom(form) for case in all_cases()] for form in FORMS}


@pytest.fixture(scope="session")
def written(phantoms: dict[Form, list[Phantom]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with FORM/CASE/images and FORM/CASE/structure_set.dcm."""
    root = tmp_path_factory.mktemp("phantoms")
    for form, of_form in phantoms.items():
        for phantom in of_form:
            write_phantom(phantom, root / form / phantom.name)
    return root


@pytest.fixture(scope="session")
def answers_of(
    written: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, Form], Answers]:
    """Runs a peer the first time that it is asked for."""
    outputs: dict[str, Path] = {}
    missing: dict[str, str] = {}

    def ask(peer: str, form: Form) -> Answers:
        if peer not in outputs and peer not in missing:
            output = tmp_path_factory.mktemp(peer)
            try:
                _read_all(peer, python_of(peer), written, output)
                outputs[peer] = output
            except UnavailableError as error:
                missing[peer] = f"{peer} cannot be installed: {error}"
        if peer in missing:
            unavailable(missing[peer])
        folder = outputs[peer] / form
        masks = {path.stem: np.load(path) for path in folder.glob("*.npy")}
        return Answers(masks, {path.stem: path.read_text() for path in folder.glob("*.txt")})

    return ask


def _read_all(peer: str, python: Path, root: Path, output: Path) -> None:
    script = PEERS / f"{peer}_reader.py"
    command = [str(python), "-W", "ignore", str(script), str(root), str(output), ROI_NAME]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_LONGEST_S)
    assert done.returncode == 0, done.stderr[-2000:]
