"""SOP classes beside the standard's present ones: retired ones always, private ones by a key."""

from pathlib import Path

import pydicom
import pytest
from pynetdicom import AE

from core.config.file import read_configuration
from core.config.settings import Configuration
from core.errors import ConfigurationError
from tests.support.peers import EXPLICIT, associate, encoded, store
from tests.support.receiver import start_receiver

CSA = "1.3.12.2.1107.5.9.1"
RETIRED = ("1.2.840.10008.5.1.4.1.1.6", "1.2.840.10008.5.1.4.1.1.5")


def accepted(address: tuple[str, int], sop_class_uid: str) -> bool:
    entity = AE(ae_title="TPS")
    entity.add_requested_context(sop_class_uid, EXPLICIT)
    association = entity.associate(*address, ae_title="SLICEWIRE")
    found = bool(association.accepted_contexts)
    if association.is_established:
        association.release()
    return found


@pytest.mark.parametrize(("classes", "is_accepted"), [((), False), ((CSA,), True)])
def test_a_private_class_is_accepted_only_if_a_key_names_it(
    tmp_path: Path, classes: tuple[str, ...], *, is_accepted: bool
) -> None:
    configuration = Configuration.model_validate({"wire": {"private_sop_classes": classes}})
    receiver = start_receiver(tmp_path, configuration=configuration)
    assert accepted(receiver.address, CSA) == is_accepted
    receiver.listener.stop()


def test_instances_of_private_and_retired_classes_are_stored(
    tmp_path: Path, cine_folder: Path
) -> None:
    configuration = Configuration.model_validate({"wire": {"private_sop_classes": [CSA]}})
    receiver = start_receiver(tmp_path, configuration=configuration)
    instance = pydicom.dcmread(cine_folder / "9.dcm")
    classes = (CSA, *RETIRED)
    with associate(receiver.address, classes=classes) as association:
        for number, sop_class_uid in enumerate(classes):
            instance.SOPClassUID, instance.SOPInstanceUID = sop_class_uid, f"1.2.3.{number}"
            answer = store(
                association,
                encoded(instance),
                sop_class_uid=sop_class_uid,
                sop_instance_uid=instance.SOPInstanceUID,
            )
            assert answer.Status == 0x0000
    assert len(receiver.files()) == 3
    receiver.listener.stop()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("1.2.840.10008.1.1", "this is Verification SOP Class"),
        ("1.2.840.10008.1.2.1", "this is Explicit VR Little Endian"),
        ("CSA", "digits and dots"),
        ("1." + "2" * 64, "digits and dots"),
    ],
)
def test_what_is_no_sop_class_to_store_is_a_wrong_configuration(
    tmp_path: Path, value: str, words: str
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(f'wire:\n  private_sop_classes: ["{value}"]\n')
    with pytest.raises(ConfigurationError, match=words):
        read_configuration(path, {})


def test_a_class_of_a_later_edition_of_the_standard_may_be_named() -> None:
    later = "1.2.840.10008.5.1.4.1.1.99999"
    configuration = Configuration.model_validate({"wire": {"private_sop_classes": [later]}})
    assert configuration.wire.private_sop_classes == (later,)
