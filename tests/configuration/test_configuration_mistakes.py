"""A wrong key or value is one sentence that names it and what was expected."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from core.config.file import read_configuration
from core.config.pipelines import KINDS
from core.config.settings import Configuration
from core.errors import ConfigurationError
from imaging.rtstruct.target_systems import VARIANTS

MISTAKES = {
    "scp_prot: 3": "unknown key scp_prot, did you mean scp_port?",
    "scp_port: abc": "scp_port is 'abc', expected a valid integer",
    "scp_port: 70000": "scp_port is 70000, expected less than or equal to 65535",
    "completion: {settel_s: 3}": "unknown key completion.settel_s, did you mean settle_s?",
    "rules: [{pipeline: unett}]": "rules.0.pipeline: 'unett', expected one of blur, unet",
    "rules: [{pipelin: unet}]": "unknown key rules.0.pipelin, did you mean pipeline?",
    "completion: 5": "completion is 5, expected settle_s, recount_s, ",
    "peers: [{name: a, ae_title: A, ip: b, port: 1, tls: [x]}]": "peers.0.tls is ['x'], expected ",
    "rules: [{pipeline: unet, destinations: [tps]}]": "'tps', expected sender or a peer's name",
    "pipelines: {blur: {sigma_mm: -1}}": "pipelines.blur.sigma_mm is -1, expected greater than 0",
    "pipelines: {lung: {kind: vnet}}": (
        f"pipelines.lung.kind is 'vnet', expected {' or '.join(sorted(KINDS))}"
    ),
    "pipelines: {lung: {}}": "pipelines.lung.kind is missing",
    "pipelines: {lung: 3}": "pipelines.lung is 3, expected keys and values",
    "pipelines: {lung: {kind: unet, hole: xor}}": "unknown key pipelines.lung.hole",
    "pipelines: {lung: {kind: unet, variant: nobody}}": (
        f"pipelines.lung.variant is 'nobody', expected one of {', '.join(VARIANTS)}"
    ),
    "root_uid: 1.2.3.x": "root_uid is '1.2.3.x', expected a UID root of digits and dots",
    "ae_title: seventeen_letters": "ae_title is 'seventeen_letters', expected 1 to 16 printable",
    "scu_ip: 10.0.0.1": "scu_ip and scu_port: both or neither",
    "export_series: perhaps": "export_series is 'perhaps', expected a valid boolean",
    "engine: {scheduler: '10.0.0.1:8786'}": "expected tcp://ADDRESS:PORT or tls://",
    "engine: {scheduler: 'tcp://10.0.0.1:8786'}": "expected tls:// with engine.tls",
    "engine: {scheduler: 'tls://10.0.0.1:8786'}": "engine.tls: is missing",
    "webhook: {url: 'http://a'}": "webhook.url and webhook.secret: both or neither",
    "webhook: {url: 'ftp://a', secret: abc}": "'ftp://a', expected http:// or https://",
    "peers: [{name: a, ae_title: A, ip: b, port: 1, proof: yes}]": "peers.0.proof is True",
    "peers: [{name: a, ae_title: A, ip: b, port: 1, retry: {first: 5}}]": (
        "unknown key peers.0.retry.first, did you mean first_s?"
    ),
    "peers: [{name: a, ae_title: A, ip: b, port: 1, retry: {growth: 0.5}}]": (
        "peers.0.retry.growth is 0.5, expected greater than or equal to 1"
    ),
    "peers: [{name: a, ae_title: A, ip: b, port: 1, retry: {longest_s: 10}}]": (
        "peers.0.retry.longest_s: 10, expected at least first_s, 30"
    ),
    "peers: [{name: a, ae_title: A, ip: b, port: 1, retry: soon}]": (
        "peers.0.retry is 'soon', expected first_s, growth, longest_s, give_up_after_h"
    ),
    "delivery: {retry_growth: 11}": "delivery.retry_growth is 11, expected less than or equal",
    "a: [": "is not YAML",
    "- 1": "expected keys and values at the top level",
}


@pytest.mark.parametrize(("text", "sentence"), MISTAKES.items())
def test_a_mistake_in_the_file_is_named_in_one_line(
    tmp_path: Path, text: str, sentence: str
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        read_configuration(path, {})
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert sentence in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ({"scp_port": "x"}, "--scp_port is 'x', expected a valid integer"),
        ({"scu_ip": "h", "scu_port": "99999"}, "--scu_port is '99999', expected less than"),
    ],
)
def test_a_mistake_on_the_command_line_names_the_flag(flags: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        read_configuration(None, flags)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nothing\.yaml: cannot be read"):
        read_configuration(tmp_path / "nothing.yaml", {})


def test_flags_stand_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("scp_port: 104\npipeline: unet\nexport_series: true\n")
    configuration = read_configuration(path, {"pipeline": "3dblur", "export_series": "False"})
    assert configuration.scp_port == 104
    assert configuration.pipeline == "blur"
    assert configuration.export_series is False


@pytest.mark.parametrize(
    ("text", "value"),
    [("True", True), ("yes", True), ("1", True), ("false", False), ("no", False), ("off", False)],
)
def test_true_and_false_are_words(text: str, value: bool) -> None:
    assert read_configuration(None, {"export_series": text}).export_series is value


def test_blur_and_unet_exist_without_configuration() -> None:
    assert set(read_configuration(None, {}).pipelines) == {"blur", "unet"}


def test_checkpoint_path_is_the_one_of_unet(tmp_path: Path) -> None:
    configuration = read_configuration(None, {"checkpoint_path": str(tmp_path / "m.ckpt")})
    assert configuration.pipelines["unet"].parameters() == {
        "checkpoint_path": str(tmp_path / "m.ckpt")
    }


def test_a_blur_with_another_sigma_has_another_fingerprint() -> None:
    three, four = (
        read_configuration(None, {"pipelines": {"blur": {"sigma_mm": sigma}}}) for sigma in (3, 4)
    )
    assert three.pipelines["blur"].fingerprint() != four.pipelines["blur"].fingerprint()


@pytest.mark.parametrize("text", ["webhook: {secret: [hidden]}", "database_url: [hidden]"])
def test_a_secret_is_not_quoted(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        read_configuration(path, {})
    assert "hidden" not in str(caught.value)
    assert "secret" in str(caught.value) or "database_url" in str(caught.value)


def test_a_section_without_keys_is_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("retention:\nwebhook:\npeers:\n")
    assert read_configuration(path, {}) == read_configuration(None, {})


NAMED_NO_MORE = {"data_path"}
"""Keys that are accepted and do nothing."""


def test_the_shipped_file_names_every_key_and_adds_the_simulator_alone() -> None:
    path = Path(__file__).parents[2] / "config.yaml"
    text = path.read_text()
    for name, field in Configuration.model_fields.items():
        assert name in text or name in ("checkpoint_path", "pipeline")
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            for key in field.annotation.model_fields.keys() - NAMED_NO_MORE:
                assert re.search(rf"\b{key}:", text), f"{name}.{key}"
    shipped, default = read_configuration(path, {}), read_configuration(None, {})
    assert [(peer.name, peer.ip) for peer in shipped.peers] == [("simulator", "127.0.0.1")]
    assert shipped.model_copy(update={"rules": (), "peers": ()}) == default


@pytest.mark.parametrize("value", ["own", "pynetdicom"])
def test_a_key_that_does_nothing_any_more_is_accepted(tmp_path: Path, value: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(f"wire: {{data_path: {value}}}")
    read = read_configuration(path, {})
    assert read.wire.model_copy(update={"data_path": None}) == Configuration().wire
