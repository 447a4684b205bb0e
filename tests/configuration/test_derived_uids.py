"""UIDs that the node makes depend on what they are for, and are known again."""

from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import generate_uid

from core.uids import (
    PYDICOM_ROOT_UID,
    derive_uid,
    is_derived_uid,
    is_safe_uid,
    is_standard_uid,
)

LONGEST_ROOT = "1.2.840.99999999.8888888.77777."


@given(st.lists(st.text(), min_size=1))
def test_a_derived_uid_is_standard_and_recognised(parts: list[str]) -> None:
    for root in (PYDICOM_ROOT_UID, LONGEST_ROOT):
        uid = derive_uid(root, *parts)
        assert is_standard_uid(uid)
        assert is_derived_uid(root, uid)


def test_the_same_parts_give_the_same_uid_and_others_another() -> None:
    assert derive_uid("1.2.", "job", "a") == derive_uid("1.2.", "job", "a")
    assert derive_uid("1.2.", "job", "a") != derive_uid("1.2.", "joba", "")


def test_a_uid_that_pydicom_generates_under_the_same_root_is_not_ours() -> None:
    assert not any(is_derived_uid(PYDICOM_ROOT_UID, generate_uid()) for _ in range(1000))


def test_leading_zeros_are_safe_but_not_standard() -> None:
    uid = "2.16.124.113543.6006.99.0950360026589330680"
    assert is_safe_uid(uid)
    assert not is_standard_uid(uid)


def test_what_could_leave_the_storage_folder_is_not_safe() -> None:
    for uid in ("../../etc/passwd", "1.2/3", "1..2", ".1", "", "1.2\x00", "1" * 65, "1.2\n"):
        assert not is_safe_uid(uid), uid
