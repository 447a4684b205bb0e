"""Unique identifiers: checks of received UIDs, and UIDs that the node derives."""

import hashlib
import re
import zlib

PYDICOM_ROOT_UID = "1.2.826.0.1.3680043.8.498."
MAX_UID_LENGTH = 64
_DIGITS = 24
_CHECK_DIGITS = 8
_SAFE_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_STRICT_UID = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*")


def is_safe_uid(uid: str) -> bool:
    """True if `uid` is digits and dots of at most 64 characters, so that it can name a file.

    Components with leading zeros violate PS3.5 section 9.1, but exist in the field and pass.
    """
    return len(uid) <= MAX_UID_LENGTH and _SAFE_UID.fullmatch(uid) is not None


def fault_of_uid(uid: str) -> str:
    """Why `uid` is not what `is_safe_uid` expects, without its value; empty if it is."""
    if len(uid) > MAX_UID_LENGTH:
        return f"has {len(uid)} characters, at most {MAX_UID_LENGTH}"
    return "" if is_safe_uid(uid) else "is not digits and dots"


def is_standard_uid(uid: str) -> bool:
    """True if `uid` follows PS3.5 section 9.1, which forbids leading zeros."""
    return len(uid) <= MAX_UID_LENGTH and _STRICT_UID.fullmatch(uid) is not None


def derive_uid(root_uid: str, *parts: str) -> str:
    """Derive a UID under `root_uid` from `parts` alone, recognised by `is_derived_uid`.

    The last component is 25 digits of a SHA-256 and 8 check digits, so that the node recognises
    objects that it made without a record of them.
    """
    digest = hashlib.sha256("\x00".join(parts).encode()).digest()
    body = str(int.from_bytes(digest, "big") % 10**_DIGITS + 10**_DIGITS)
    return f"{root_uid}{body}{_check_digits(root_uid, body)}"


def is_derived_uid(root_uid: str, uid: str) -> bool:
    """True if `uid` was made by `derive_uid` under `root_uid`."""
    body, check = uid[len(root_uid) : -_CHECK_DIGITS], uid[-_CHECK_DIGITS:]
    if not uid.startswith(root_uid) or not body.isdigit():
        return False
    return len(body) == _DIGITS + 1 and check == _check_digits(root_uid, body)


def longest_root_uid() -> int:
    """Maximum number of characters of a root so that derived UIDs have at most 64."""
    return MAX_UID_LENGTH - (_DIGITS + 1) - _CHECK_DIGITS


def _check_digits(root_uid: str, body: str) -> str:
    value = zlib.crc32(f"slicewire:{root_uid}{body}".encode()) % 10**_CHECK_DIGITS
    return f"{value:0{_CHECK_DIGITS}d}"
