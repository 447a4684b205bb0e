"""Read and write A-ASSOCIATE-RQ and A-ASSOCIATE-AC PDUs (PS3.8 9.3.2 and 9.3.3).

Reading is liberal: items and sub-items of unknown types are skipped (9.3.1, D.2 note 2), AE titles
may be padded with NULs or not be ASCII, context IDs may be even, names may be long. What a request
offers and need not (window, roles) does not count where its sub-item is too short.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pynetdicom import PYNETDICOM_IMPLEMENTATION_UID, PYNETDICOM_IMPLEMENTATION_VERSION

from core.ae_titles import parse_ae_title
from core.errors import BoundError
from core.plain_text import without_control
from network.upper_layer.pdus import ASSOCIATE_AC, ASSOCIATE_RQ, HEADER_BYTES, pdu

APPLICATION_CONTEXT_NAME = "1.2.840.10008.3.1.1.1"
_PROTOCOL_VERSION = 1
_TITLE_BYTES, _RESERVED_BYTES, _WINDOW_BYTES = 16, 32, 4
_FIRST_ITEM = HEADER_BYTES + 4 + 2 * _TITLE_BYTES + _RESERVED_BYTES
_ITEM = struct.Struct(">BBH")
_CONTEXT = struct.Struct(">BBBB")
_APPLICATION_CONTEXT, _CONTEXT_RQ, _CONTEXT_AC, _USER_INFORMATION = 0x10, 0x20, 0x21, 0x50
_ABSTRACT_SYNTAX, _TRANSFER_SYNTAX = 0x30, 0x40
_MAXIMUM_LENGTH, _IMPLEMENTATION_CLASS, _WINDOW = 0x51, 0x52, 0x53
_ROLES, _IMPLEMENTATION_VERSION = 0x54, 0x55

Roles = Mapping[str, tuple[bool, bool]]
"""By SOP Class UID: whether the requestor may be SCU, and whether SCP (PS3.7 D.3.3.4)."""


@dataclass(frozen=True, slots=True)
class ContextItem:
    """A presentation context item, of a request (PS3.8 9.3.2.2) or an answer (9.3.3.2)."""

    context_id: int
    abstract_syntax: str = ""
    """Empty in an answer."""
    transfer_syntaxes: Sequence[str] = ()
    result: int = 0
    """Result/Reason of an answer (PS3.8 Table 9-18); 0 in a request."""


@dataclass(frozen=True, slots=True)
class UserInformation:
    """The user information item (PS3.8 9.3.2.3 and D.1, PS3.7 D.3.3)."""

    maximum_length: int = 0
    """Longest P-DATA-TF that its author receives, in bytes; 0 means no limit (PS3.8 D.1)."""
    roles: Roles = field(default_factory=dict)
    window: tuple[int, int] | None = None
    """Maximum operations invoked and performed (PS3.7 D.3.3.3); 0 means no limit."""
    has_version_name: bool = True
    """True if its author names its implementation version (PS3.7 D.3.3.2.3)."""


@dataclass(frozen=True, slots=True)
class AssociatePdu:
    """The fields of an A-ASSOCIATE-RQ or A-ASSOCIATE-AC."""

    called_ae_title: str
    calling_ae_title: str
    contexts: Sequence[ContextItem]
    user: UserInformation = field(default_factory=UserInformation)
    application_context_name: str = APPLICATION_CONTEXT_NAME
    protocol_version: int = _PROTOCOL_VERSION
    echoed: bytes = b""
    """Both AE titles and the reserved bytes as received; an answer repeats them (PS3.8 9.3.3)."""


def read_associate(content: bytes) -> AssociatePdu:
    """Decode a complete A-ASSOCIATE-RQ or A-ASSOCIATE-AC, header included.

    Raises:
        BoundError: the PDU ends within a field.
    """
    try:
        return _read(content)
    except (struct.error, IndexError):
        words = "an item is too short"
    except ValueError as error:
        words = str(error)
    kind = "request" if content[:1] == bytes((ASSOCIATE_RQ,)) else "answer"
    raise BoundError(f"an association {kind} cannot be read ({words})")


def write_associate(kind: int, said: AssociatePdu) -> bytes:
    """Encode an A-ASSOCIATE-RQ or A-ASSOCIATE-AC; `kind` is the PDU type.

    Raises:
        ValueError: an AE title is not valid (PS3.5 6.2), or a UID is not ASCII.
    """
    fixed = struct.pack(">HH", said.protocol_version, 0)
    if said.echoed:
        fixed += said.echoed
    else:
        fixed += _title(said.called_ae_title) + _title(said.calling_ae_title)
        fixed += bytes(_RESERVED_BYTES)
    items = [_item(_APPLICATION_CONTEXT, said.application_context_name.encode("ascii"))]
    items += [_context_item(kind, one) for one in said.contexts]
    items.append(_item(_USER_INFORMATION, _user_information(said.user)))
    return pdu(kind, fixed + b"".join(items))


def _read(content: bytes) -> AssociatePdu:
    if len(content) < _FIRST_ITEM:
        raise ValueError(f"{len(content)} bytes, at least {_FIRST_ITEM} are needed")
    echoed = content[HEADER_BYTES + 4 : _FIRST_ITEM]
    name, contexts, user = "", list[ContextItem](), UserInformation()
    for kind, value in _items(content[_FIRST_ITEM:]):
        if kind == _APPLICATION_CONTEXT:
            name = _uid(value)
        elif kind in (_CONTEXT_RQ, _CONTEXT_AC):
            contexts.append(_read_context(value))
        elif kind == _USER_INFORMATION:
            user = _read_user_information(value, is_request=content[0] == ASSOCIATE_RQ)
    return AssociatePdu(
        called_ae_title=_read_title(echoed[:_TITLE_BYTES]),
        calling_ae_title=_read_title(echoed[_TITLE_BYTES : 2 * _TITLE_BYTES]),
        contexts=contexts,
        user=user,
        application_context_name=name,
        protocol_version=int.from_bytes(content[HEADER_BYTES : HEADER_BYTES + 2], "big"),
        echoed=echoed,
    )


def _read_context(value: bytes) -> ContextItem:
    context_id, _, result, _ = _CONTEXT.unpack_from(value)
    abstract, transfer = "", list[str]()
    for kind, uid in _items(value[_CONTEXT.size :]):
        if kind == _ABSTRACT_SYNTAX:
            abstract = _uid(uid)
        elif kind == _TRANSFER_SYNTAX:
            transfer.append(_uid(uid))
    return ContextItem(context_id, abstract, transfer, result)


def _read_user_information(value: bytes, *, is_request: bool) -> UserInformation:
    length, roles, window = 0, dict[str, tuple[bool, bool]](), None
    for kind, content in _items(value):
        if kind == _MAXIMUM_LENGTH:
            (length,) = struct.unpack_from(">L", content)
        elif kind == _WINDOW and len(content) >= _WINDOW_BYTES:
            invoked, performed = struct.unpack_from(">HH", content)
            window = invoked, performed
        elif kind == _ROLES and not (is_request and _is_cut(content)):
            (size,) = struct.unpack_from(">H", content)
            uid = _uid(content[2 : 2 + size])
            roles[uid] = content[2 + size] == 1, content[3 + size] == 1
    return UserInformation(length, roles, window)


def _is_cut(roles: bytes) -> bool:
    """True if a role selection ends before its two roles (PS3.7 D.3.3.4)."""
    return len(roles) < 4 + int.from_bytes(roles[:2], "big")


def _items(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and value of each item (PS3.8 9.3.1); raises ValueError if one is cut off."""
    at = 0
    while at < len(content):
        kind, _, length = _ITEM.unpack_from(content, at)
        at += _ITEM.size
        if at + length > len(content):
            raise ValueError(f"an item of type 0x{kind:02X} claims {length} bytes")
        yield kind, content[at : at + length]
        at += length


def _read_title(value: bytes) -> str:
    """An AE title without padding; bytes after a NUL are left-overs of the peer's buffer.

    Control characters, which none may have (PS3.5 Table 6.2-1), are replaced: titles are shown.
    """
    title = value.split(b"\x00")[0].strip()
    try:
        return without_control(title.decode("utf-8"))
    except UnicodeDecodeError:
        return without_control(title.decode("latin-1"))


def _uid(value: bytes) -> str:
    return value.decode("latin-1").strip("\x00 ")


def _item(kind: int, value: bytes) -> bytes:
    return _ITEM.pack(kind, 0, len(value)) + value


def _title(title: str) -> bytes:
    return parse_ae_title(title).encode("ascii").ljust(_TITLE_BYTES)


def _context_item(kind: int, context: ContextItem) -> bytes:
    value = _CONTEXT.pack(context.context_id, 0, context.result, 0)
    if kind == ASSOCIATE_RQ:
        value += _item(_ABSTRACT_SYNTAX, context.abstract_syntax.encode("ascii"))
    for syntax in context.transfer_syntaxes:
        value += _item(_TRANSFER_SYNTAX, syntax.encode("ascii"))
    return _item(_CONTEXT_AC if kind == ASSOCIATE_AC else _CONTEXT_RQ, value)


def _user_information(user: UserInformation) -> bytes:
    content = _item(_MAXIMUM_LENGTH, struct.pack(">L", user.maximum_length))
    content += _item(_IMPLEMENTATION_CLASS, PYNETDICOM_IMPLEMENTATION_UID.encode("ascii"))
    if user.window is not None:
        content += _item(_WINDOW, struct.pack(">HH", *user.window))
    for uid, (scu, scp) in user.roles.items():
        name = uid.encode("ascii")
        content += _item(_ROLES, struct.pack(">H", len(name)) + name + bytes((scu, scp)))
    if user.has_version_name:
        name = PYNETDICOM_IMPLEMENTATION_VERSION.encode("ascii")
        content += _item(_IMPLEMENTATION_VERSION, name)
    return content
