"""Some structures of a data set, rings as discs, and what a card says of them."""

from pathlib import Path

import numpy as np
import pytest

from core.errors import ConfigurationError
from model.data.array_folder import open_array_folder
from model.data.data_set_file import open_data_set
from model.data.structure_selection import StructureSelection
from model.training.plan import plan_of
from model.training.train_options import train_parser

SMALL = (
    "--output", "a.ckpt", "--k_folds", "0", "--input_shape", "1,32,32", "--encoder_args", "4,8",
)  # fmt: skip


def test_a_ring_is_learned_as_all_within_its_outer_edge(data_set: Path) -> None:
    source = open_data_set(data_set)
    chosen = StructureSelection(source, ["Outer", "Inner"], [("Outer", "Inner")])
    entry = next(one for one in chosen.samples() if all(one.known))
    plain, sample = source.read(entry), chosen.read(entry)
    assert np.array_equal(sample.masks[0], plain.masks[0] | plain.masks[1])
    assert np.array_equal(sample.masks[1], plain.masks[0])
    assert [one.name for one in chosen.structures] == ["Outer", "Inner"]


def test_instances_on_which_nothing_chosen_is_known_are_left_out(data_set: Path) -> None:
    source = open_data_set(data_set)
    entries = StructureSelection(source, ["Outer"]).samples()
    assert 0 < len(entries) < len(source.samples())
    assert all(entry.known == (True,) for entry in entries)


def test_the_first_structures_are_learned_when_none_is_named(data_set: Path) -> None:
    options = train_parser().parse_args(["--data_dir", str(data_set), *SMALL])
    card = plan_of(options, open_data_set(data_set)).card
    assert [one.name for one in card.structures] == ["Inner"]
    assert not card.finishing[0].largest_component
    assert card.modalities == ("MR",)
    assert card.working_spacing_mm == pytest.approx(1.375)


def test_rings_and_what_they_surround_are_solid(data_set: Path) -> None:
    given = ["--data_dir", str(data_set), *SMALL, "--output_channels", "2"]
    options = train_parser().parse_args([*given, "--rings", "Outer:Inner"])
    inner, outer = plan_of(options, open_data_set(data_set)).card.finishing
    assert inner.fill_holes
    assert inner.without == ()
    assert outer.fill_holes
    assert outer.without == ("Inner",)


def test_what_is_around_another_is_learned_as_drawn_and_without_it_in_use(
    data_set: Path,
) -> None:
    given = ["--data_dir", str(data_set), *SMALL, "--output_channels", "2"]
    options = train_parser().parse_args([*given, "--around", "Outer:Inner"])
    plan = plan_of(options, open_data_set(data_set))
    inner, outer = plan.card.finishing
    assert inner.fill_holes
    assert inner.largest_component
    assert inner.without == ()
    assert outer.largest_component
    assert not outer.fill_holes  # the hole is what it surrounds
    assert outer.without == ("Inner",)
    source = open_data_set(data_set)
    entry = next(one for one in source.samples() if all(one.known))
    assert np.array_equal(plan.source.read(entry).masks, source.read(entry).masks)


def test_data_that_do_not_say_their_modality_need_it_said(array_folder: Path) -> None:
    given = ["--data_dir", str(array_folder), *SMALL]
    with pytest.raises(ConfigurationError, match="--modality"):
        plan_of(train_parser().parse_args(given), open_array_folder(array_folder))
    options = train_parser().parse_args([*given, "--modality", "CT"])
    assert plan_of(options, open_array_folder(array_folder)).card.modalities == ("CT",)
