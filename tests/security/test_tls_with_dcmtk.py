"""DCMTK's storescu and storescp with `+tls`: the same TLS as other people's programs speak."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import scu_export
from tests.security.certificates import Authority
from tests.security.conftest import StartReceiver
from tests.support.node_process import wait_until
from tests.support.ports import free_port
from tests.support.receiver import Receiver

pytestmark = pytest.mark.peer("storescu", "storescp", "echoscu")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Whom everybody trusts."""
    return Authority(tmp_path)


@pytest.fixture
def receiver(start: StartReceiver, authority: Authority) -> Receiver:
    """A node that speaks TLS, and wants to see certificates."""
    certificate, key = authority.sign("node")
    tls = {"certificate_path": certificate, "key_path": key, "ca_path": authority.ca_path}
    return start(wire={"tls": tls | {"port": 0}})


def shown(authority: Authority, *, days: float = 30.0) -> list[str]:
    """DCMTK's options for a certificate of an authority."""
    certificate, key = authority.sign("dcmtk", days=days)
    return ["+tls", str(key), str(certificate), "+cf", str(authority.ca_path)]


def storescu(
    receiver: Receiver, options: list[str], *paths: Path
) -> subprocess.CompletedProcess[str]:
    assert receiver.listener.tls_address is not None
    ip, port = receiver.listener.tls_address
    command = ["/usr/bin/storescu", "-to", "5", *options, "-aec", "SLICEWIRE", ip, str(port)]
    return subprocess.run(
        [*command, *map(str, paths)], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("profile", ["+py", "+px", "+pz"])
def test_storescu_sends_by_tls_in_each_profile_of_bcp_195(
    receiver: Receiver, authority: Authority, cine_folder: Path, profile: str
) -> None:
    sent = storescu(receiver, [*shown(authority), profile], cine_folder / "9.dcm")
    assert sent.returncode == 0, sent.stderr
    assert len(receiver.files()) == 1


def test_storescu_of_another_authority_is_refused(
    receiver: Receiver, authority: Authority, cine_folder: Path, tmp_path: Path
) -> None:
    other = shown(Authority(tmp_path, "theirs"))
    other[-1] = str(authority.ca_path)  # it trusts us, we do not trust it
    assert storescu(receiver, other, cine_folder / "9.dcm").returncode != 0
    assert receiver.files() == []


def test_storescu_with_an_expired_certificate_is_refused(
    receiver: Receiver, authority: Authority, cine_folder: Path
) -> None:
    expired = shown(authority, days=-1.0)
    assert storescu(receiver, expired, cine_folder / "9.dcm").returncode != 0


def test_storescu_without_tls_is_refused_by_the_tls_port(
    receiver: Receiver, cine_folder: Path
) -> None:
    assert storescu(receiver, [], cine_folder / "9.dcm").returncode != 0


@pytest.fixture
def storescp(authority: Authority, tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """DCMTK's storage SCP by TLS, which wants to see certificates; its port and folder."""
    folder, port = tmp_path / "received", free_port()
    folder.mkdir()
    certified = shown(authority)
    options = [*certified, "-rc", "--accept-all", "--output-directory", str(folder)]
    process = subprocess.Popen(["/usr/bin/storescp", *options, str(port)])
    echo = ["/usr/bin/echoscu", "-q", "-to", "2", *certified, "127.0.0.1", str(port)]
    try:
        wait_until(lambda: subprocess.run(echo, check=False).returncode == 0)
        yield port, folder
    finally:
        process.terminate()
        process.wait()


def flags(port: int, authority: Authority) -> list[str]:
    certificate, key = authority.sign("export")
    files = ["--tls_certificate", str(certificate), "--tls_key", str(key)]
    return ["--scu_port", str(port), *files, "--tls_ca", str(authority.ca_path)]


def test_scu_export_sends_to_storescp_by_tls(
    storescp: tuple[int, Path], authority: Authority, cine_folder: Path
) -> None:
    port, folder = storescp
    assert scu_export.main([*flags(port, authority), str(cine_folder / "9.dcm")]) == 0
    wait_until(lambda: len(list(folder.iterdir())) == 1)


def test_scu_export_without_tls_says_that_the_peer_does_not_answer(
    storescp: tuple[int, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert scu_export.main(["--scu_port", str(storescp[0]), "--echo", "--timeout", "5"]) == 1
    assert "FAILED C-ECHO" in capsys.readouterr().out


def test_scu_export_does_not_speak_to_another_name(
    storescp: tuple[int, Path], authority: Authority, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = [*flags(storescp[0], authority), "--tls_name", "pacs.example.org", "--echo"]
    assert scu_export.main(wrong) == 1
    assert "Hostname mismatch" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (["--tls_certificate", __file__], "--tls_certificate and --tls_key: expected both"),
        (["--tls_ca", "nowhere.pem"], "--tls_ca: expected a file, found none at 'nowhere.pem'"),
    ],
)
def test_a_wrong_flag_is_exit_code_2(
    wrong: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scu_export.main([*wrong, "--echo"]) == 2
    assert words in capsys.readouterr().err


def test_storescu_sends_to_both_ports_of_one_node(
    start: StartReceiver, authority: Authority, cine_folder: Path
) -> None:
    certificate, key = authority.sign("node")
    tls = {"certificate_path": certificate, "key_path": key, "ca_path": authority.ca_path}
    receiver = start(wire={"tls": tls | {"port": 0}})
    paths = sorted(cine_folder.glob("*.dcm"))
    assert storescu(receiver, shown(authority), *paths[:11]).returncode == 0
    ip, port = receiver.address
    plain = ["/usr/bin/storescu", "-aec", "SLICEWIRE", ip, str(port), *map(str, paths[11:])]
    assert subprocess.run(plain, check=False, timeout=60).returncode == 0
    assert len(receiver.files()) == len(paths) == 22
