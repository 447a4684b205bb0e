"""Command line of `model.train`."""

import argparse
import re
from pathlib import Path

from model.command_line import above_zero, add_options_of, add_spacing_option, names, numbers
from model.data.augment import Augmentation
from model.inference.card import CLINICAL, DEMONSTRATION
from model.training.losses import LOSS_NAMES
from model.training.optimizers import OPTIMIZER_NAMES
from model.training.trainer_options import add_trainer_options

PRECISIONS = (
    "auto", "64-true", "32-true", "16-mixed", "bf16-mixed", "bf16-true",
)  # fmt: skip
_SHORT_PRECISIONS = {"64": "64-true", "32": "32-true", "16": "16-mixed", "bf16": "bf16-mixed"}
"""Lightning's short names of number formats."""
_SAMPLES = Path(__file__).parents[2] / "samples" / "sunnybrook"
_HAS_SAMPLES = (_SAMPLES / "link.csv").exists()


class _ShowDefaults(argparse.ArgumentDefaultsHelpFormatter):
    """Formatter that appends the default to the help of options that have one."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        has_one = action.default not in (None, "", (), argparse.SUPPRESS)
        return super()._get_help_string(action) if has_one else action.help


def train_parser(prog: str = "python -m model.train") -> argparse.ArgumentParser:
    """Parser of the training command, called `prog` in its --help."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Train a UNet on drawn contours and write one checkpoint that carries all that "
        "inference needs.",
        epilog="Options are accepted with hyphens too. Exit code: 0 written, 2 wrong input.",
        formatter_class=_ShowDefaults,
        allow_abbrev=False,
    )
    _add_data_options(parser.add_argument_group("data"))
    _add_model_options(parser.add_argument_group("model"))
    _add_learning_options(parser.add_argument_group("learning"))
    _add_machine_options(parser.add_argument_group("machine"))
    add_trainer_options(parser.add_argument_group("Lightning's Trainer"))
    return parser


def _add_data_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--data_dir", type=Path, required=not _HAS_SAMPLES,
        default=_SAMPLES if _HAS_SAMPLES else None,
        help="data set of model.prepare, or a folder that can be read without it",
    )  # fmt: skip
    add_spacing_option(group)
    group.add_argument(
        "--exclude", type=names, default=(), metavar="KEY,KEY", help="patients to leave out"
    )
    group.add_argument(
        "--measure", type=names, default=(), metavar="KEY,KEY",
        help="patients to leave out of training and to measure the result on at the end",
    )  # fmt: skip
    group.add_argument(
        "--k_folds", type=int, default=5,
        help="number of cross-validation folds of patients, at most as many as patients; 0 trains "
        "on all, without validation",
    )  # fmt: skip
    group.add_argument("--k_fold_index", type=int, default=0, help="fold to validate on, from 0")
    group.add_argument("--batch_size", type=above_zero, default=5, help="images per batch")
    group.add_argument(
        "--input_shape", type=_crop_shape, default=(1, 512, 512), metavar="1,ROWS,COLUMNS",
        help="shape of the random crops to train on; each is shifted about the centre of its image",
    )  # fmt: skip
    add_options_of(group, Augmentation)
    group.add_argument(
        "--passes", type=above_zero, default=1, help="passes over the images in one epoch"
    )


def _add_model_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--output", type=Path,
        help="the checkpoint to write (default: model.ckpt, or model_1.ckpt, ... if that exists)",
    )  # fmt: skip
    group.add_argument("--name", default="", help="the model's name (default: the file's)")
    group.add_argument("--version", default="1", help="the model's version")
    group.add_argument(
        "--encoder_args", type=numbers, default=(32, 64, 128, 256, 512, 1024),
        metavar="WIDTH,WIDTH", help="channels of each level of the encoder",
    )  # fmt: skip
    group.add_argument(
        "--output_channels", type=above_zero, default=1, help="number of structures to learn"
    )
    group.add_argument(
        "--structures", type=names, default=(), metavar="NAME,NAME",
        help="structures to learn (default: the first ones of the data set)",
    )  # fmt: skip
    group.add_argument(
        "--rings", type=_rings, default=(), metavar="RING:INNER",
        help="structures that surround another: the network learns all within the ring's outer "
        "edge, and at inference the inner structure is removed from it",
    )  # fmt: skip
    group.add_argument(
        "--around", type=_rings, default=(), metavar="RING:INNER",
        help="as --rings, but the network learns the ring as drawn, and at inference one part of "
        "it is kept",
    )  # fmt: skip
    group.add_argument(
        "--solid", type=names, default=(), metavar="NAME,NAME",
        help="structures that are one part without holes on every image, as those of --rings are: "
        "at inference the most probable part is kept and its holes are filled",
    )  # fmt: skip
    group.add_argument(
        "--intended_use", choices=(DEMONSTRATION, CLINICAL), default=DEMONSTRATION,
        help="results of a demonstration model leave the node's machine only after a review",
    )  # fmt: skip
    group.add_argument(
        "--modality",
        default="",
        help="DICOM modality (CT, MR, ...) of data that does not state it (arrays)",
    )
    group.add_argument(
        "--working_spacing", type=float, default=0.0, metavar="MM",
        help="pixel spacing to which images are resampled; 0: the median of the images",
    )  # fmt: skip
    group.add_argument(
        "--views", type=int, choices=(1, 2, 4, 8), default=4,
        help="number of flipped and rotated copies that are averaged at inference",
    )  # fmt: skip


def _add_learning_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--loss_function", choices=LOSS_NAMES, default="dice_ce", help="loss to minimise"
    )
    group.add_argument(
        "--optimizer", choices=OPTIMIZER_NAMES, default="adamw", help="optimiser of the weights"
    )
    group.add_argument(
        "--learning_rate", type=float, default=1e-3,
        help="highest learning rate; it rises and falls once over the run",
    )  # fmt: skip
    group.add_argument(
        "--seed", type=int, default=1, help="seed of folds, batches and initial weights"
    )
    group.add_argument(
        "--keep", choices=("best", "last"), default="best",
        help="epoch to write; best: highest Dice on the validation patients",
    )  # fmt: skip
    group.add_argument(
        "--early_stopping", type=int, default=0, metavar="EPOCHS",
        help="stop if the validation patients' Dice has not risen for so many epochs; 0: never",
    )  # fmt: skip
    group.add_argument(
        "--resume", action="store_true",
        help="continue an interrupted run after its last complete epoch",
    )  # fmt: skip


def _add_machine_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--num_workers", type=int, default=12, help="number of processes that prepare batches"
    )
    group.add_argument(
        "--gpus", type=_gpus, default="auto", metavar="COUNT",
        help="number of GPUs, -1 for all, indices as 0,1, or auto: one if there is one",
    )  # fmt: skip
    group.add_argument(
        "--precision", type=_precision, choices=PRECISIONS, default="auto",
        help="number format, or 64, 32, 16, bf16 for short; auto: mixed on a GPU, else 32-true",
    )  # fmt: skip
    group.add_argument(
        "--threads", type=int, default=0, help="CPU threads; 0 leaves the choice to PyTorch"
    )


def _crop_shape(text: str) -> tuple[int, ...]:
    shape = numbers(text)
    if len(shape) != 3 or shape[0] != 1:
        raise argparse.ArgumentTypeError(f"{text}: expected 1,ROWS,COLUMNS (one input channel)")
    return shape


def _rings(text: str) -> tuple[tuple[str, str], ...]:
    pairs = [tuple(part.strip() for part in pair.split(":")) for pair in text.split(",")]
    if any(len(pair) != 2 or not all(pair) for pair in pairs):
        raise argparse.ArgumentTypeError(f"{text}: expected RING:INNER, with commas between pairs")
    return tuple((pair[0], pair[1]) for pair in pairs)


def _precision(text: str) -> str:
    return _SHORT_PRECISIONS.get(text, text)


def _gpus(text: str) -> str:
    if not re.fullmatch(r"auto|-1|\d+|\d+(,\d+)+,?|\d+,", text):
        raise argparse.ArgumentTypeError(f"{text}: expected auto, -1, a number or indices as 0,1")
    return text
