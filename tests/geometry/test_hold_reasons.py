"""Reasons to hold a series have codes, say what helps, and whether a person may pass over them."""

import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from core.errors import GeometryError, ModelError, SeriesError, hold_of
from core.hold_reasons import Hold, HoldReason, hold_for, may_be_passed, released_words
from imaging.geometry.placement import RULES_2D, RULES_3D, GeometryRules, place
from imaging.instances.header import Header
from imaging.series.series import check_one_series

PASSED_2D = replace(RULES_2D, passed=frozenset({HoldReason.GAP}))
PASSED_3D = replace(RULES_3D, passed=frozenset(HoldReason))


def held(headers: list[Header], rules: GeometryRules) -> Hold:
    with pytest.raises(SeriesError) as caught:
        check_one_series(headers)
        place(headers, rules)
    return caught.value.hold


def in_half(name: str, value: Any) -> Callable[[list[Header]], list[Header]]:
    def change(headers: list[Header]) -> list[Header]:
        return [replace(one, **{name: value}) if n % 2 else one for n, one in enumerate(headers)]

    return change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (in_half("patient_key", "B"), HoldReason.SEVERAL_PATIENTS),
        (in_half("study_instance_uid", "1.9"), HoldReason.SEVERAL_STUDIES),
        (in_half("sop_instance_uid", "1.2.3.1"), HoldReason.DUPLICATE),
        (in_half("frame_of_reference_uid", "1.9"), HoldReason.FRAMES_OF_REFERENCE),
        (in_half("image_position_mm", None), HoldReason.NO_PLACE),
        (in_half("image_orientation", (1.0, 0, 0, 0, 1, 0)), HoldReason.ORIENTATIONS),
        (in_half("rows", 7), HoldReason.SIZES),
        (in_half("pixel_spacing_mm", (9.0, 9.0)), HoldReason.PIXEL_SPACINGS),
        (in_half("samples_per_pixel", 3), HoldReason.PIXEL_KIND),
        (in_half("has_pixel_data", False), HoldReason.NO_PIXELS),
    ],
)
def test_what_makes_any_result_wrong_has_its_code_and_is_never_released(
    stack: Any, change: Callable[[list[Header]], list[Header]], reason: HoldReason
) -> None:
    for rules in (RULES_2D, PASSED_2D, PASSED_3D):
        hold = held(change(stack([3.0 * n for n in range(8)])), rules)
        assert (hold.reason, hold.is_releasable) == (reason, False)
        assert hold.helps.startswith("send ")


def test_a_gap_names_the_slice_to_send_and_may_be_passed_over_image_by_image_alone(
    stack: Any,
) -> None:
    slices = stack([3.0 * n for n in range(60) if n != 41])
    for rules, may_pass in ((RULES_2D, True), (RULES_3D, False), (PASSED_3D, False)):
        hold = held(slices, rules)
        assert (hold.reason, hold.is_releasable) == (HoldReason.GAP, may_pass)
        assert hold.helps == "send the missing slice between 41 and 42"
    [warning, *_] = place(slices, PASSED_2D).warnings
    assert warning == "Series 1.2.3: gap of 6 mm after slice 41, expected 3 mm"


def test_several_gaps_are_counted_with_what_is_missing_in_the_first(stack: Any) -> None:
    slices = stack([3.0 * n for n in range(60) if n not in (10, 11, 41)])
    assert held(slices, RULES_2D).helps == (
        "send the 2 missing slices between 10 and 11, and what is missing at 1 more places"
    )


@pytest.mark.parametrize(
    ("positions", "reason"),
    [
        ([0.0, 3, 6, 9, 12, 16.5, 21, 25.5, 30], HoldReason.IRREGULAR_SPACING),
        ([0.0, 0, 3, 6, 9], HoldReason.UNEQUAL_POSITIONS),
        ([0.0, 0], HoldReason.NO_VOLUME),
    ],
)
def test_what_is_no_grid_is_never_released_to_what_computes_across_slices(
    stack: Any, positions: list[float], reason: HoldReason
) -> None:
    hold = held(stack(positions), PASSED_3D)
    assert (hold.reason, hold.is_releasable) == (reason, False)
    assert len(place(stack(positions), RULES_2D).headers) == len(positions)


def test_a_hold_survives_the_way_from_a_worker_process() -> None:
    error = GeometryError("a gap", HoldReason.GAP, helps="send it", releasable=True)
    assert pickle.loads(pickle.dumps(error)).hold == error.hold


def test_what_is_not_the_series_fault_is_put_right_at_the_node() -> None:
    assert hold_of(ModelError("no checkpoint")).reason == HoldReason.NODE
    assert not hold_of(ModelError("no checkpoint")).is_releasable


@pytest.mark.parametrize("reason", HoldReason)
def test_every_reason_says_what_helps(reason: HoldReason) -> None:
    assert reason.helps
    assert str(hold_for(reason, "words")) == f"words: {reason.helps}"


@pytest.mark.parametrize("reason", HoldReason)
def test_a_reason_is_releasable_if_it_says_with_what_results_are_released(
    reason: HoldReason,
) -> None:
    assert may_be_passed(reason) == hold_for(reason, "words").is_releasable
    assert may_be_passed(reason) == bool(reason.released_with)
    assert str(reason) == reason.value  # the ledger and results carry the code alone
    assert pickle.loads(pickle.dumps(reason)) is reason


def test_descriptions_name_the_first_reason_and_count_the_others() -> None:
    assert released_words({}) == ""
    assert released_words({"gap": "x"}) == "released with a gap"
    both = {"cut off": "x", "gap": "y"}
    assert released_words(both) == "released with a part cut off and 1 more"
