"""Negotiate presentation contexts and roles (PS3.8 7.1.1.13 and 9.3.3.2, PS3.7 D.3.3.4)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pynetdicom.presentation import PresentationContext

from network.upper_layer.associate_pdus import (
    APPLICATION_CONTEXT_NAME,
    AssociatePdu,
    ContextItem,
    Roles,
    UserInformation,
)

ACCEPTED, REFUSED_BY_USER, NO_ABSTRACT_SYNTAX, NO_TRANSFER_SYNTAX = 0, 1, 3, 4
"""Results of a presentation context (PS3.8 Table 9-18)."""
_DEFAULT_ROLES = (True, False)
_NO_SYNTAX = "1.2.840.10008.1.2"  # a rejected context needs one too, which is not significant


@dataclass(frozen=True, slots=True)
class Context:
    """An accepted presentation context."""

    context_id: int
    abstract_syntax: str
    transfer_syntax: str
    requestor_is_scu: bool = True
    requestor_is_scp: bool = False


@dataclass(frozen=True, slots=True)
class Agreement:
    """Parameters of an established association."""

    calling_ae_title: str
    called_ae_title: str
    contexts: Mapping[int, Context]
    """Accepted presentation contexts by context ID."""
    longest_sent: int = 0
    """Longest P-DATA-TF that the peer receives, in bytes; 0 means no limit (PS3.8 D.1)."""
    window: tuple[int, int] = (1, 1)
    """Operations invoked and performed in the peer's answer (PS3.7 D.3.3.3); 0 means no limit."""


@dataclass(frozen=True, slots=True)
class Supported:
    """Abstract syntaxes, transfer syntaxes and roles that an acceptor supports."""

    syntaxes: Mapping[str, Sequence[str]]
    """Transfer syntaxes by abstract syntax, the preferred one first."""
    roles: Roles = field(default_factory=dict)
    """Roles that the requestor may have, for SOP classes with role selection."""

    @classmethod
    def of(cls, contexts: Iterable[PresentationContext]) -> "Supported":
        """Read the supported syntaxes and roles from pynetdicom's `contexts`."""
        found = {str(one.abstract_syntax): one for one in contexts}
        syntaxes = {
            uid: [str(syntax) for syntax in one.transfer_syntax] for uid, one in found.items()
        }
        roles = {
            uid: (one.scu_role, one.scp_role)
            for uid, one in found.items()
            if one.scu_role is not None and one.scp_role is not None
        }
        return cls(syntaxes, roles)


def accept(
    asked: AssociatePdu, supported: Supported, maximum_length: int
) -> tuple[Agreement, AssociatePdu]:
    """Judge every proposed presentation context (PS3.8 9.3.3.2) and role (PS3.7 D.3.3.4).

    Returns:
        The agreement, and the fields of the A-ASSOCIATE-AC.
    """
    unique = {one.context_id: one for one in reversed(asked.contexts)}
    judged = [_judge(one, asked.user.roles, supported) for one in reversed(unique.values())]
    selected = {uid: role for uid, role in asked.user.roles.items() if uid in supported.roles}
    roles = {uid: _both(role, supported.roles[uid]) for uid, role in selected.items()}
    agreement = Agreement(
        calling_ae_title=asked.calling_ae_title,
        called_ae_title=asked.called_ae_title,
        contexts={
            item.context_id: _context(unique[item.context_id], item, roles)
            for item in judged
            if item.result == ACCEPTED
        },
        longest_sent=asked.user.maximum_length,
    )
    answer = replace(
        asked,
        contexts=judged,
        user=UserInformation(maximum_length, roles),
        application_context_name=APPLICATION_CONTEXT_NAME,
        protocol_version=1,
    )
    return agreement, answer


def conclude(asked: AssociatePdu, answer: AssociatePdu) -> Agreement:
    """Compare a requestor's proposal with the answer; returns what was agreed.

    A role that the answer does not mention counts as accepted: some acceptors of storage commitment
    reports do not negotiate roles.
    """
    proposed = {one.context_id: one for one in asked.contexts}
    roles = {
        uid: _both(role, answer.user.roles.get(uid, role)) for uid, role in asked.user.roles.items()
    }
    return Agreement(
        calling_ae_title=asked.calling_ae_title,
        called_ae_title=asked.called_ae_title,
        contexts={
            one.context_id: _context(proposed[one.context_id], one, roles)
            for one in answer.contexts
            if one.result == ACCEPTED and _is_proposed(one, proposed.get(one.context_id))
        },
        longest_sent=answer.user.maximum_length,
        window=answer.user.window or (1, 1),
    )


def _is_proposed(answer: ContextItem, asked: ContextItem | None) -> bool:
    """True if an answer's transfer syntax was proposed in its context (PS3.8 9.3.3.2)."""
    accepted = answer.transfer_syntaxes[:1]
    return asked is not None and bool(accepted) and accepted[0] in asked.transfer_syntaxes


def _judge(asked: ContextItem, roles: Roles, supported: Supported) -> ContextItem:
    uid = asked.abstract_syntax
    ours = supported.syntaxes.get(uid)
    common = next((one for one in ours or () if one in asked.transfer_syntaxes), None)
    if ours is None:
        return ContextItem(asked.context_id, "", (_NO_SYNTAX,), NO_ABSTRACT_SYNTAX)
    if common is None:
        return ContextItem(asked.context_id, "", (_NO_SYNTAX,), NO_TRANSFER_SYNTAX)
    if uid in roles and uid in supported.roles and not any(_both(roles[uid], supported.roles[uid])):
        return ContextItem(asked.context_id, "", (_NO_SYNTAX,), REFUSED_BY_USER)
    return ContextItem(asked.context_id, "", (common,), ACCEPTED)


def _context(asked: ContextItem, answer: ContextItem, roles: Roles) -> Context:
    scu, scp = roles.get(asked.abstract_syntax, _DEFAULT_ROLES)
    syntax = answer.transfer_syntaxes[0]
    return Context(asked.context_id, asked.abstract_syntax, syntax, scu, scp)


def _both(one: tuple[bool, bool], other: tuple[bool, bool]) -> tuple[bool, bool]:
    return one[0] and other[0], one[1] and other[1]
