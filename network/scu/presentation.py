"""Choose the presentation contexts to propose for instances, and the one to send each in."""

from collections import Counter
from collections.abc import Iterable, Mapping

from pydicom.uid import UID
from pynetdicom.presentation import PresentationContext, build_context

from imaging.pixels.transcode import UNCOMPRESSED
from network.scu.outgoing import InstanceToSend
from network.scu.send_queue import SendOutcome, not_sent
from network.statuses import State
from network.upper_layer.negotiation import Context

MAX_CONTEXTS = 128
"""Context IDs are the odd numbers from 1 to 255 (PS3.8 section 9.3.2.2)."""


def propose(instances: Iterable[InstanceToSend]) -> list[PresentationContext]:
    """At most 128 contexts, such that as many instances as possible are sent without transcoding.

    Each SOP class has a context with the uncompressed syntaxes, one of which every peer has to
    accept (PS3.5 10.1), and a context for each transfer syntax of its instances, because a peer
    accepts one transfer syntax of each context.
    """
    pairs = Counter((one.sop_class_uid, one.transfer_syntax_uid) for one in instances)
    classes = Counter[str]()
    for (sop_class_uid, _), count in pairs.items():
        classes[sop_class_uid] += count
    fallbacks = [build_context(uid, list(UNCOMPRESSED)) for uid, _ in classes.most_common()]
    exact = [build_context(uid, [syntax]) for (uid, syntax), _ in pairs.most_common()]
    return [*fallbacks, *exact][:MAX_CONTEXTS]


Accepted = Mapping[tuple[str, str], int]
"""Context IDs by SOP class and transfer syntax."""


def accepted_by(contexts: Iterable[Context]) -> Accepted:
    """Contexts in which this side is the SCU."""
    return {
        (context.abstract_syntax, context.transfer_syntax): context.context_id
        for context in contexts
        if context.requestor_is_scu
    }


def choose_context(accepted: Accepted, instance: InstanceToSend) -> tuple[str, int] | None:
    """Transfer syntax and context ID for `instance`, if possible its own syntax; None: none."""
    for syntax in (instance.transfer_syntax_uid, *UNCOMPRESSED):
        context_id = accepted.get((instance.sop_class_uid, syntax))
        if context_id is not None:
            return syntax, context_id
    return None


def without_context(
    contexts: Iterable[PresentationContext], instance: InstanceToSend, peer: str
) -> SendOutcome:
    """Outcome of an instance that has no accepted context; `contexts` were proposed."""
    name = UID(instance.sop_class_uid).name
    if not any(context.abstract_syntax == instance.sop_class_uid for context in contexts):
        return not_sent(
            instance,
            f"no presentation context for {name} was left: one association holds "
            f"{MAX_CONTEXTS}; send these instances with fewer SOP classes at a time",
        )
    words = f"{peer} accepts no {name} in the syntax of the file or uncompressed"
    return SendOutcome(instance, None, State.NOT_ACCEPTED, words)
