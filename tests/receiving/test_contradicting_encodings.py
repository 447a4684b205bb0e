"""What is encoded otherwise than its transfer syntax says is refused, by each way it may come."""

from contextlib import suppress

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from core.config.wire import Wire
from core.errors import EncodingError
from network.data_sets.describe import describe
from network.data_sets.header_scan import scan
from network.data_sets.limits import DataSetBounds
from network.data_sets.negotiated import check_negotiated
from network.file_meta import encode_file_meta
from node.scp.instance_store import STORED, ReceivedInstance
from tests.receiving.any_data_sets import OFTEN, REWRITES, data_sets
from tests.receiving.contradictions import CONTRADICTIONS, ODD, UID, of, small_instance
from tests.receiving.logged import Place
from tests.support.dicom.rewritten import BIG_ENDIAN, Rewrite, encoded_in
from tests.support.peers import EXPLICIT, IMPLICIT, MR, associate, store
from tests.support.receiver import Receiver

BOUNDS = DataSetBounds.of(Wire())


@pytest.fixture
def instance() -> Dataset:
    return small_instance()


def received(syntax: str, content: bytes) -> ReceivedInstance:
    return ReceivedInstance(1, MR, UID, syntax, encode_file_meta(MR, UID, syntax), content)


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_contradiction_is_refused_and_named(instance: Dataset, name: str) -> None:
    syntax, content, words = CONTRADICTIONS[name]
    with pytest.raises(EncodingError) as refused:
        describe(received(syntax, content(instance)), BOUNDS)
    assert str(refused.value).startswith(words)


ON_THE_WIRE = [
    "implicit in explicit",
    "explicit in implicit",
    "big in explicit",
    "explicit in deflated",
    f"nested {IMPLICIT} in {EXPLICIT}, undefined: False",
    f"nested {EXPLICIT} in {IMPLICIT}, undefined: True",
    "encapsulated in explicit",
    "native in JPEG 2000",
    "file meta",
]


@pytest.mark.parametrize("name", ON_THE_WIRE)
def test_a_contradiction_is_never_acknowledged_nor_filed(
    receiver: Receiver, instance: Dataset, name: str
) -> None:
    syntax, content, words = CONTRADICTIONS[name]
    with associate(receiver.address, syntaxes=(syntax,)) as association:
        answer = store(association, content(instance), sop_instance_uid=UID, syntax=syntax)
        assert answer.Status == 0xC000
        assert str(answer.ErrorComment).startswith(words)
    receiver.wait_for_files()
    assert receiver.files() == []
    assert [refusal.sop_instance_uid for refusal in receiver.refused] == [UID]


def test_what_follows_a_refused_one_is_stored(receiver: Receiver, instance: Dataset) -> None:
    with associate(receiver.address) as association:
        assert store(association, of(IMPLICIT)(instance), sop_instance_uid=UID).Status == 0xC000
        assert store(association, of(EXPLICIT)(instance), sop_instance_uid=UID).Status == 0
    receiver.wait_for_files()
    assert len(receiver.files()) == 1


@pytest.mark.parametrize("name", ODD)
def test_what_is_odd_but_as_negotiated_is_stored(
    receiver: Receiver, instance: Dataset, name: str
) -> None:
    syntax, content = ODD[name]
    sent = content(instance)
    with associate(receiver.address, syntaxes=(syntax,)) as association:
        answer = store(association, sent, sop_instance_uid=UID, syntax=syntax)
    assert (answer.Status, answer.ErrorComment) == (0, None)
    receiver.wait_for_files()
    [file] = receiver.files()
    assert file.read_bytes().endswith(sent)


def test_the_bytes_of_a_file_count_as_those_of_an_association(
    place: Place, instance: Dataset
) -> None:
    good = received(IMPLICIT, of(IMPLICIT)(instance))
    with pytest.raises(EncodingError, match=f"Instance {UID}: encoded as implicit VR LE"):
        place.instance_store.receive(received(EXPLICIT, of(IMPLICIT)(instance)))
    assert place.instance_store.receive(good) == STORED
    assert pydicom.dcmread(next(place.folder.rglob("*.dcm"))).PatientID == "A"


def test_one_walk_says_nothing_of_a_contradiction(instance: Dataset) -> None:
    judged = {name: scan(content(instance), syntax, BOUNDS)
              for name, (syntax, content, _) in CONTRADICTIONS.items()}  # fmt: skip
    assert judged == dict.fromkeys(CONTRADICTIONS)
    assert scan(of(EXPLICIT)(instance), EXPLICIT, BOUNDS) is not None


PLAIN = [EXPLICIT, IMPLICIT, BIG_ENDIAN]


@given(data_set=data_sets(), rewrite=st.sampled_from(REWRITES[:6]), data=st.data())
@OFTEN
def test_a_data_set_fits_the_encoding_that_it_has_and_no_other(
    data_set: Dataset, rewrite: Rewrite, data: st.DataObject
) -> None:
    encoding, other = data.draw(st.permutations(PLAIN))[:2]
    content = encoded_in(encoding, rewrite(data_set))
    check_negotiated(content, pydicom.uid.UID(encoding), 10_000)
    with pytest.raises(EncodingError):
        check_negotiated(content, pydicom.uid.UID(other), 10_000)


@given(content=st.binary(max_size=400), syntax=st.sampled_from(PLAIN))
@OFTEN
def test_any_bytes_end_the_walk(content: bytes, syntax: str) -> None:
    with suppress(EncodingError):
        check_negotiated(content, pydicom.uid.UID(syntax), 100)
