"""Run of a scenario: send a folder, wait for results, and check them."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from core.errors import ConfigurationError, ContourError
from imaging.instances.header import Header
from imaging.series.series import read_folder
from network.scu.c_store import InstanceToSend, SendOutcome, send
from network.scu.gathering import gather
from simulator.agreement import compare
from simulator.checks import is_complete, judge, read_headers, sort_returned
from simulator.scenario import NOTHING_CAME, PASSED, WRONG, Outcome, Scenario, counted
from simulator.storage_scp import StorageScp
from simulator.truth import Truth, read_truth


def simulate(
    scenario: Scenario,
    *,
    on_listening: Callable[[int], None] | None = None,
    on_step: Callable[[str], None] | None = None,
) -> Outcome:
    """Run `scenario` and return its outcome.

    Args:
        scenario: what to send, and what to expect.
        on_listening: called with the port before anything is sent, so that a node can be started
            that sends its results there.
        on_step: called with a line of text when a step begins.

    Raises:
        ConfigurationError: nothing to send, no readable truth, or the port is in use.
    """
    tell = on_step or (lambda _: None)
    outcome, instances = _prepare(scenario)
    with StorageScp(scenario.output / "received") as storage_scp:
        port = _listen(storage_scp, scenario)
        if on_listening is not None:
            on_listening(port)
        tell(f"sending {counted(len(instances), 'instances')} to {scenario.node}")
        failure = _send(scenario, outcome, instances)
        if failure:
            outcome.reason = failure
            return outcome
        tell(f"waiting for results on {scenario.listen_ip}:{port}")
        enough = _wait(scenario, outcome, storage_scp)
    tell(f"checking what came back: {counted(len(outcome.received), 'instances')}")
    _judge(scenario, outcome, enough=enough)
    return outcome


def _prepare(scenario: Scenario) -> tuple[Outcome, list[InstanceToSend]]:
    if scenario.output.exists() and any(scenario.output.iterdir()):
        raise ConfigurationError(
            f"--output: expected an empty or new folder, found {scenario.output}"
        )
    series, _ = read_folder(scenario.folder)
    outcome = Outcome(sent=[header for one in series for header in one.headers])
    gathered = {one.sop_instance_uid: one for one in gather([scenario.folder]).instances}
    instances = [
        gathered[header.sop_instance_uid]
        for header in outcome.sent
        if header.sop_instance_uid in gathered
    ]
    if not instances:
        raise ConfigurationError(f"{scenario.folder}: expected DICOM instances, found none")
    if scenario.truth is not None:
        try:
            outcome.truth = read_truth(scenario.truth, outcome.sent)
        except ContourError as error:
            raise ConfigurationError(f"--truth: {error}") from error
        unknown = [name for name in scenario.names if name not in outcome.truth.masks]
        if unknown:
            known = ", ".join(outcome.truth.masks)
            raise ConfigurationError(f"--map: {unknown[0]!r} is not in the truth, expected {known}")
    return outcome, instances


def _listen(storage_scp: StorageScp, scenario: Scenario) -> int:
    try:
        return storage_scp.start(scenario.listen_ip, scenario.listen_port, scenario.listen_tls)
    except OSError as error:
        raise ConfigurationError(
            f"--listen_port: cannot listen on {scenario.listen_ip}:{scenario.listen_port} "
            f"({error.strerror}), expected a free port of this machine"
        ) from error


def _send(scenario: Scenario, outcome: Outcome, instances: Sequence[InstanceToSend]) -> str:
    """Reason why the node did not store all instances, or "" if it did."""
    begun = time.monotonic()
    sent: list[SendOutcome] = send(
        instances, scenario.node, scenario.ae_title, timeouts=scenario.send_timeouts
    )
    outcome.seconds["sending"] = time.monotonic() - begun
    outcome.stored = sum(one.is_stored for one in sent)
    failed = [one for one in sent if not one.is_stored]
    if not failed:
        return ""
    return f"{len(failed)} of {len(sent)} instances were not stored: {failed[0].words}"


def _wait(scenario: Scenario, outcome: Outcome, storage_scp: StorageScp) -> bool:
    sent, begun = _by_uid(outcome.sent), time.monotonic()

    def is_enough(paths: Sequence[Path]) -> bool:
        headers, _ = read_headers(paths)
        return is_complete(headers, sent, scenario.expect)

    enough = storage_scp.wait(is_enough, timeout_s=scenario.timeout_s, settle_s=scenario.settle_s)
    outcome.seconds["waiting"] = time.monotonic() - begun
    associations = storage_scp.associations()
    outcome.associations = len(associations)
    outcome.received = [path for association in associations for path in association.paths]
    return enough


def _judge(scenario: Scenario, outcome: Outcome, *, enough: bool) -> None:
    if not outcome.received:
        outcome.exit_code = NOTHING_CAME
        outcome.reason = f"nothing came back within {scenario.timeout_s:g} s"
        return
    sent = _by_uid(outcome.sent)
    findings = judge(sent, outcome.received)
    outcome.checks, outcome.contours = findings.checks, findings.contours
    outcome.received_kinds = _kinds(outcome.received, sent)
    faults = list(findings.faults)
    if not enough:
        faults.insert(0, _what_is_missing(scenario, outcome))
    if outcome.truth is not None:
        faults += _compare_with_truth(scenario, outcome, outcome.truth)
    outcome.exit_code = WRONG if faults else PASSED
    outcome.reason = "; ".join(faults) if faults else _pass_reason(outcome)


def _kinds(paths: Sequence[Path], sent: Mapping[str, Header]) -> dict[str, int]:
    headers, unreadable = read_headers(paths)
    found = sort_returned(headers, sent)
    counts = {
        "structure sets": len(found.structure_sets),
        "segmentations": len(found.segmentations),
        "unchanged images": len(found.unchanged),
        "derived images": sum(len(group) for group in found.derived.values()),
        "others": len(found.others) + len(unreadable),
    }
    return {kind: count for kind, count in counts.items() if count}


def _what_is_missing(scenario: Scenario, outcome: Outcome) -> str:
    wanted = {
        "structure_set": "a structure set of the study",
        "series": "a derived series as long as the one sent",
    }.get(scenario.expect, "a structure set or a derived series as long as the one sent")
    return (
        f"only part came back within {scenario.timeout_s:g} s: {outcome.came_back}, "
        f"expected {wanted}"
    )


def _compare_with_truth(scenario: Scenario, outcome: Outcome, truth: Truth) -> list[str]:
    try:
        found = compare(truth, outcome.contours, _by_uid(outcome.sent), scenario.names)
    except ContourError as error:
        return [str(error)]
    outcome.agreements = found
    return [
        f"{one.structure} agrees with {one.truth_name} by a Dice of {one.dice:.3f}, "
        f"expected at least {scenario.lowest_dice:.3f}"
        for one in found
        if one.dice < scenario.lowest_dice
    ]


def _pass_reason(outcome: Outcome) -> str:
    sent = counted(outcome.stored, "instances")
    words = [f"{sent} sent; {outcome.came_back} came back, right in every check"]
    words += [
        f"{one.structure} Dice {one.dice:.3f}, 95 % Hausdorff {one.hausdorff_95_mm:.2f} mm"
        for one in outcome.agreements
    ]
    return "; ".join(words)


def _by_uid(headers: Sequence[Header]) -> dict[str, Header]:
    return {header.sop_instance_uid: header for header in headers}
