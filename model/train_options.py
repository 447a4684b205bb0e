"""The command line of training."""

import argparse
from pathlib import Path

from model.command_line import above_zero, names, numbers

DEFAULT_WIDTHS = (12, 24, 48, 96, 128)


class _ShowDefaults(argparse.ArgumentDefaultsHelpFormatter):
    """Defaults stand behind the help of those options that have one."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return (
            super()._get_help_string(action)
            if action.default or action.default == 0
            else action.help
        )


def train_parser() -> argparse.ArgumentParser:
    """Options of `python -m model.train`, with the defaults that made the shipped model."""
    parser = argparse.ArgumentParser(
        prog="python -m model.train",
        description="Train a UNet on hand-drawn contours and write one checkpoint that carries "
        "all that inference needs.",
        epilog="Options are accepted with hyphens too. Exit code: 0 written, 2 wrong input.",
        formatter_class=_ShowDefaults,
    )
    _add_data_options(parser.add_argument_group("data"))
    _add_model_options(parser.add_argument_group("model"))
    _add_learning_options(parser.add_argument_group("learning"))
    return parser


def _add_data_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--data_dir", type=Path, required=True,
        help="HDF5 data set of model.prepare, or folders that it takes (docs/data_sets.md)",
    )  # fmt: skip
    group.add_argument(
        "--exclude", type=names, default=(), metavar="KEY,KEY", help="patients to leave out"
    )
    group.add_argument(
        "--measure", type=names, default=(), metavar="KEY,KEY",
        help="patients to leave out and to measure the result on, once, at the end",
    )  # fmt: skip
    group.add_argument(
        "--k_folds", type=int, default=0,
        help="folds of patients; 0 trains on all, without validation",
    )  # fmt: skip
    group.add_argument("--k_fold_index", type=int, default=0, help="the fold that validates")
    group.add_argument("--num_workers", type=int, default=0, help="processes that prepare batches")


def _add_model_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--output", type=Path, required=True, help="the checkpoint to write")
    group.add_argument("--name", default="", help="the model's name (default: the file's)")
    group.add_argument("--version", default="1", help="the model's version")
    group.add_argument(
        "--encoder_args", type=numbers, default=DEFAULT_WIDTHS, metavar="WIDTH,WIDTH",
        help="channels of each level of the encoder",
    )  # fmt: skip
    group.add_argument(
        "--working_spacing", type=float, default=1.75, metavar="MM",
        help="distance between pixels that the network sees",
    )  # fmt: skip
    group.add_argument(
        "--views", type=int, choices=(1, 2, 4, 8), default=4,
        help="flipped and turned copies that are averaged in use",
    )  # fmt: skip


def _add_learning_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--seed", type=int, default=1, help="fixes folds, batches and weights")
    group.add_argument("--max_steps", type=above_zero, default=1000, help="optimiser steps")
    group.add_argument("--batch_size", type=above_zero, default=8, help="images in a batch")
    group.add_argument(
        "--input_shape", type=_crop_shape, default=(1, 128, 128), metavar="1,ROWS,COLUMNS",
        help="random crops of this shape are trained on",
    )  # fmt: skip
    group.add_argument("--learning_rate", type=float, default=2e-3, help="at its highest")
    group.add_argument("--precision", default="32-true", help="as Lightning's Trainer takes it")
    group.add_argument(
        "--threads", type=int, default=0, help="CPU threads; 0 leaves the choice to PyTorch"
    )


def _crop_shape(text: str) -> tuple[int, ...]:
    shape = numbers(text)
    if len(shape) != 3 or shape[0] != 1:
        raise argparse.ArgumentTypeError(f"{text}: expected 1,ROWS,COLUMNS (one input channel)")
    return shape
