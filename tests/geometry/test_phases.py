"""Images at one position are split into phases by an attribute that distinguishes them."""

from dataclasses import replace
from typing import Any

import pytest

from core.errors import GeometryError
from imaging.geometry.distinctions import HINTS, KINDS, MEASURES, Value
from imaging.geometry.placement import RULES_2D, RULES_3D, Placement, place
from imaging.instances.frames import read_headers
from imaging.instances.header import Header
from tests.support.samples import CASES

POSITIONS = [0.0, 3.0, 6.0, 9.0]
TWO_VALUES: dict[str, tuple[Value, Value]] = {
    "EchoTime": (5.0, 20.0),
    "EchoNumbers": (1.0, 2.0),
    "ImageType": ("ORIGINAL\\PRIMARY\\W", "ORIGINAL\\PRIMARY\\F"),
    "DiffusionBValue": (0.0, 1000.0),
    "DiffusionGradientOrientation": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
    "ConvolutionKernel": ("B30s", "B70s"),
    "ComplexImageComponent": ("MAGNITUDE", "PHASE"),
    "ContrastBolusAgent": ("A", "B"),
    "KVP": (80.0, 140.0),
    "FlipAngle": (3.0, 15.0),
    "SliceThickness": (1.0, 3.0),
    "StackID": ("1", "2"),
    "TemporalPositionIdentifier": (1.0, 2.0),
    "TriggerTime": (10.0, 400.0),
    "FrameReferenceTime": (0.0, 60000.0),
    "InversionTime": (100.0, 2000.0),
    "AcquisitionNumber": (1.0, 2.0),
    "AcquisitionTime": (100.0, 200.0),
    "ContentTime": (100.0, 200.0),
    "ImageComments": ("GATED, 0%", "GATED, 50%"),
    "DimensionIndexValues 2": (1.0, 2.0),
}


def at_each_position(stack: Any, rows: list[list[dict[str, Value]]]) -> list[Header]:
    """The images of `rows`, each with its distinctions and numbers in the order given."""
    headers: list[Header] = []
    for header, row in zip(stack(POSITIONS[: len(rows)]), rows, strict=True):
        for values in row:
            number = len(headers) + 1
            headers.append(
                replace(
                    header,
                    sop_instance_uid=f"1.2.3.{number}",
                    instance_number=int(values.get("number", number)),  # type: ignore[arg-type]
                    distinctions=tuple((k, v) for k, v in values.items() if k != "number"),
                )
            )
    return headers


def values(placement: Placement, keyword: str) -> list[set[Value | None]]:
    """By phase."""
    return [{one.distinction(keyword) for one in phase} for phase in placement.phases]


def every_other_way_round(low: dict[str, Value], high: dict[str, Value]) -> list[list[Any]]:
    return [[low, high] if n % 2 else [high, low] for n in range(len(POSITIONS))]


@pytest.mark.parametrize("keyword", TWO_VALUES)
@pytest.mark.parametrize("rules", [RULES_2D, RULES_3D], ids=["2d", "3d"])
def test_any_attribute_makes_the_phases_whatever_the_numbers_say(
    stack: Any, keyword: str, rules: Any
) -> None:
    low, high = TWO_VALUES[keyword]
    rows = every_other_way_round({keyword: low}, {keyword: high})
    if keyword == "ContentTime":
        rows = [[{keyword: low}, {keyword: high}] for _ in POSITIONS]
    placement = place(at_each_position(stack, rows), rules)
    assert sorted(values(placement, keyword), key=repr) == sorted([{low}, {high}], key=repr)
    assert [len(phase) for phase in placement.phases] == [4, 4]
    assert placement.told_apart_by == (keyword,)
    assert placement.warnings == ()


def test_two_attributes_together_make_the_phases(stack: Any) -> None:
    row: list[dict[str, Value]] = [
        {"EchoTime": echo, "ImageType": kind} for echo in (5.0, 20.0) for kind in ("M", "P")
    ]
    placement = place(at_each_position(stack, [row, row[::-1], row[2:] + row[:2], row]), RULES_3D)
    assert placement.told_apart_by == ("EchoTime", "ImageType")
    assert values(placement, "EchoTime") == [{5.0}, {5.0}, {20.0}, {20.0}]
    assert values(placement, "ImageType") == [{"M"}, {"P"}, {"M"}, {"P"}]


def test_two_moments_together_make_the_phases(stack: Any) -> None:
    row: list[dict[str, Value]] = [
        {"AcquisitionNumber": turn, "TriggerTime": time} for turn in (1.0, 2.0) for time in (0.0, 9)
    ]
    row = [{**one, "TriggerTime": float(one["TriggerTime"])} for one in row]  # type: ignore[arg-type]
    placement = place(at_each_position(stack, [row, row[::-1]]), RULES_3D)
    assert values(placement, "AcquisitionNumber") == [{1.0}, {2.0}, {1.0}, {2.0}]
    assert values(placement, "TriggerTime") == [{0.0}, {0.0}, {9.0}, {9.0}]


def test_kinds_are_apart_and_moments_order_each_of_them(stack: Any) -> None:
    row: list[dict[str, Value]] = [
        {"ImageType": kind, "TriggerTime": time} for time in (10.0, 50.0) for kind in ("P", "M")
    ]
    placement = place(at_each_position(stack, [row, row[::-1]]), RULES_3D)
    assert values(placement, "ImageType") == [{"M"}, {"M"}, {"P"}, {"P"}]
    assert values(placement, "TriggerTime") == [{10.0}, {50.0}, {10.0}, {50.0}]


@pytest.mark.parametrize("keyword", HINTS)
def test_what_may_make_another_image_counts_before_when_it_was_taken(
    stack: Any, keyword: str
) -> None:
    low: Value = 500.0 if keyword in {"RepetitionTime", "NumberOfAverages"} else "A"
    high: Value = 3000.0 if isinstance(low, float) else "B"
    rows: list[list[dict[str, Value]]] = [
        [{keyword: low, "AcquisitionTime": 10.0 + p % 2}, {keyword: high, "AcquisitionTime": 10.5}]
        for p in range(4)
    ]
    placement = place(at_each_position(stack, rows), RULES_3D)
    assert sorted(values(placement, keyword), key=repr) == sorted([{low}, {high}], key=repr)
    assert placement.told_apart_by == (keyword,)


def test_texts_that_change_from_slice_to_slice_leave_the_phases_as_they_are(stack: Any) -> None:
    rows: list[list[dict[str, Value]]] = [
        [{"ImageComments": f"{p} {n}", "TriggerTime": 40.0 * n} for n in (1, 0)] for p in range(4)
    ]
    placement = place(at_each_position(stack, rows), RULES_3D)
    assert placement.told_apart_by == ("TriggerTime",)
    assert values(placement, "TriggerTime") == [{0.0}, {40.0}]


def test_trigger_times_that_differ_from_slice_to_slice_count_by_rank(stack: Any) -> None:
    rows: list[list[dict[str, Value]]] = [
        [{"TriggerTime": n * 40.0 + p} for n in (2, 0, 1)] for p in range(4)
    ]
    placement = place(at_each_position(stack, rows), RULES_3D)
    assert values(placement, "TriggerTime")[1] == {40.0, 41.0, 42.0, 43.0}


def test_echo_times_that_differ_by_rounding_are_the_same(stack: Any) -> None:
    rows: list[list[dict[str, Value]]] = [
        [{"EchoTime": 4.92 + p * 1e-4}, {"EchoTime": 9.84 - p * 1e-4}] for p in range(4)
    ]
    placement = place(at_each_position(stack, rows), RULES_3D)
    assert max(values(placement, "EchoTime")[0]) < 5  # type: ignore[type-var, operator]


@pytest.mark.parametrize(
    ("keyword", "rows"),
    [
        ("EchoTime", [(5.0, 20.0), (20.0, 40.0)]),
        ("EchoTime", [(5.0, 20.0), (5.0, 5.0)]),
        ("DiffusionBValue", [(0.0, 500.0), (500.0, 1000.0)]),
        ("ConvolutionKernel", [("B30s", "B70s"), ("B30s", "B50s")]),
        ("ImageType", [("M", "P"), ("P", "P")]),
        ("TemporalPositionIdentifier", [(1.0, 2.0), (2.0, 3.0)]),
        ("AcquisitionNumber", [(1.0, 2.0), (2.0, 3.0)]),
        ("AcquisitionTime", [(1.0, 2.0), (2.0, 3.0)]),
    ],
)
def test_values_that_are_not_the_same_everywhere_are_refused_by_name(
    stack: Any, keyword: str, rows: list[tuple[Value, Value]]
) -> None:
    headers = at_each_position(stack, [[{keyword: one} for one in row] for row in rows])
    with pytest.raises(GeometryError, match=f"2 images at each of 2 positions, and .*{keyword}"):
        place(headers, RULES_3D)
    placement = place(headers, RULES_2D)  # nothing is computed from slice to slice
    assert len(placement.headers) == 4
    assert keyword in placement.warnings[0]


def numbered(*rows: tuple[int, ...]) -> list[list[dict[str, Value]]]:
    return [[{"number": float(number)} for number in row] for row in rows]


@pytest.mark.parametrize(
    "rows", [numbered((1, 2), (3, 4), (5, 6)), numbered((1, 4), (2, 5), (3, 6))]
)
def test_numbers_in_constant_order_are_the_last_resort_and_a_warning(
    stack: Any, rows: list[list[dict[str, Value]]]
) -> None:
    placement = place(at_each_position(stack, rows), RULES_3D)
    assert placement.told_apart_by == ("InstanceNumber",)
    assert "InstanceNumber alone" in placement.warnings[0]


def test_numbers_in_no_constant_order_are_refused(stack: Any) -> None:
    with pytest.raises(GeometryError, match="InstanceNumber does not say"):
        place(at_each_position(stack, numbered((1, 2), (3, 5), (4, 9))), RULES_3D)


def test_numbers_that_contradict_when_pixels_were_made_are_refused(stack: Any) -> None:
    rows: list[list[dict[str, Value]]] = [
        [{"ContentTime": 10.0 * p + (n if p else -n)} for n in range(2)] for p in range(4)
    ]
    with pytest.raises(GeometryError, match="ContentTime and InstanceNumber do not say"):
        place(at_each_position(stack, rows), RULES_3D)


def test_images_that_nothing_tells_apart_are_refused(stack: Any) -> None:
    rows = numbered((1, 1), (2, 2))
    with pytest.raises(GeometryError, match="2 images at one position that no attribute tells"):
        place(at_each_position(stack, rows), RULES_3D)


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ({"EchoTime": 20.0}, "those at one position differ in EchoTime"),
        ({"EchoTime": 5.0}, "no attribute tells those at one position apart, such as 1.2.3.1 and"),
    ],
)
def test_an_image_too_many_is_refused_by_what_it_differs_in_or_as_a_copy(
    stack: Any, second: dict[str, Value], words: str
) -> None:
    first: dict[str, Value] = {"EchoTime": 5.0}
    rows = [[first, second], [first], [first], [first]]
    with pytest.raises(GeometryError, match=f"1 at 3 positions, 2 at 1 positions.*{words}"):
        place(at_each_position(stack, rows), RULES_3D)


@pytest.mark.parametrize(
    "keyword", ["EchoTime", "ImageType", "ConvolutionKernel", "DiffusionBValue", "EchoNumbers"]
)
def test_one_image_at_each_position_of_two_kinds_is_no_volume(stack: Any, keyword: str) -> None:
    low, high = TWO_VALUES[keyword]
    rows: list[list[dict[str, Value]]] = [[{keyword: low if p % 2 else high}] for p in range(4)]
    with pytest.raises(GeometryError, match=f"2 values of {keyword}, expected one in a volume"):
        place(at_each_position(stack, rows), RULES_3D)


def test_the_echoes_of_a_series_without_order_are_volumes_of_their_own() -> None:
    paths = sorted((CASES / "echoes_mixed").glob("*.dcm"))
    placement = place([one for path in paths for one in read_headers(path)], RULES_3D)
    assert values(placement, "EchoTime") == [{5.0}, {20.0}]
    assert [len(phase) for phase in placement.phases] == [8, 8]


def test_every_kind_is_tried() -> None:
    untried = {"SequenceName", "DiffusionDirectionality", "FilterType", "ActualFrameDuration"}
    assert {*KINDS, *MEASURES} - {*TWO_VALUES} == {*untried, "MonoenergeticEnergyEquivalent"}
