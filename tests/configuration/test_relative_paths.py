"""Relative paths of a configuration file start at its folder, those of flags at the working one."""

from pathlib import Path

import pytest
import yaml

from core.config.file import ConfigurationFile, read_configuration

KEYS = {
    "storage_path": "storage",
    "checkpoint_path": "heart.ckpt",
    "pipelines": {"lung": {"kind": "unet", "checkpoint_path": "models/lung.ckpt"}},
    "log": {"file": "node.log"},
    "web": {"users_path": "people.json", "in_dir_root": "folders"},
    "wire": {"tls": {"certificate_path": "c.pem", "key_path": "k.pem", "ca_path": "ca.pem"}},
    "peers": [{"name": "tps", "ae_title": "TPS", "ip": "192.0.2.1", "port": 104, "tls": True}],
}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file in one folder, while another one is the working folder."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "working").mkdir()
    monkeypatch.chdir(tmp_path / "working")
    path = tmp_path / "etc" / "config.yaml"
    path.write_text(yaml.safe_dump(KEYS))
    return path


def test_every_relative_path_starts_at_the_folder_of_the_file(file: Path) -> None:
    read, etc = read_configuration(file, {}), file.parent
    tls = read.peers[0].tls
    assert tls is not None
    assert read.wire.tls is not None
    assert [
        read.storage_path,
        read.checkpoint_path,
        read.pipelines["unet"].model_path,
        read.pipelines["lung"].model_path,
        read.log.file,
        read.web.users_path,
        read.web.in_dir_root,
        read.wire.tls.certificate_path,
        tls.key_path,
    ] == [
        etc / "storage",
        etc / "heart.ckpt",
        etc / "heart.ckpt",
        etc / "models" / "lung.ckpt",
        etc / "node.log",
        etc / "people.json",
        etc / "folders",
        etc / "c.pem",
        etc / "k.pem",
    ]


def test_a_relative_path_of_a_flag_starts_at_the_working_folder(file: Path) -> None:
    read = read_configuration(file, {"storage_path": "here", "checkpoint_path": "flag.ckpt"})
    assert read.storage_path == Path.cwd() / "here"
    assert read.pipelines["unet"].model_path == Path.cwd() / "flag.ckpt"


def test_whole_paths_and_a_file_in_the_working_folder_stay_as_written(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(file.parent)
    assert read_configuration(file, {}).storage_path == Path("storage")
    assert read_configuration(Path("config.yaml"), {}).storage_path == Path("storage")
    file.write_text("storage_path: /var/lib/slicewire")
    assert read_configuration(file, {}).storage_path == Path("/var/lib/slicewire")


def test_what_an_earlier_version_made_in_the_working_folder_goes_on_being_used(file: Path) -> None:
    Path("storage").mkdir()
    named = ConfigurationFile(file, {})
    assert named.read().storage_path == Path.cwd() / "storage"
    assert named.paths_by_working_folder() == [Path("storage")]
    (file.parent / "storage").mkdir()
    assert named.read().storage_path == file.parent / "storage"
    assert named.paths_by_working_folder() == []
