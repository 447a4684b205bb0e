"""Folders of runs, with logs and the state to resume from: `OUTPUT.runs/run_0`, `run_1`, ..."""

import argparse
import json
from pathlib import Path
from typing import Any

from core.errors import ConfigurationError
from model.command_line import options_of
from model.data.augment import Augmentation
from model.inference.unet_card import UnetCard
from model.training.resuming import RESUME_FILE

_SETTINGS_FILE = "settings.json"
_PREFIX = "run_"
_MOST = 1000  # checkpoints without a name in one folder
_DECISIVE = (
    "batch_size", "input_shape", "passes", "loss_function", "optimizer",
    "learning_rate", "seed", "k_folds", "k_fold_index", "rings", "around", "solid", "views",
    "keep", "early_stopping",
    "max_steps", "max_epochs",
    "accumulate_grad_batches", "gradient_clip_val", "limit_train_batches", "precision",
)  # fmt: skip
"""Options that must be the same to resume a run, as they change its result; so must those of
`Augmentation` and `_ONCE_UNRECORDED`."""
_ONCE_UNRECORDED = (
    "limit_val_batches", "val_check_interval", "check_val_every_n_epoch", "sync_batchnorm",
    "overfit_batches", "gradient_clip_algorithm",
)  # fmt: skip
"""Options that older versions had and did not record: of their runs, taken to be the same."""


def new_run_folder(options: argparse.Namespace, card: UnetCard) -> Path:
    """Create the folder of a new run, with its settings in settings.json.

    Raises:
        ConfigurationError: the folder cannot be written.
    """
    runs = _runs(options)
    folder = runs / f"{_PREFIX}{1 + max(_numbers(runs), default=-1)}"
    try:
        folder.mkdir(parents=True)
        (folder / _SETTINGS_FILE).write_text(json.dumps(_settings(options, card), indent=1) + "\n")
    except OSError as error:
        raise ConfigurationError(f"--output {options.output}: {error.strerror}") from error
    return folder


def unfinished_run_folder(options: argparse.Namespace, card: UnetCard) -> Path | None:
    """Folder of the newest run, or None if that finished no epoch.

    Raises:
        ConfigurationError: the run had other settings, or they cannot be read.
    """
    runs = _runs(options)
    folder = runs / f"{_PREFIX}{max(_numbers(runs), default=-1)}"
    if not (folder / RESUME_FILE).is_file():
        return None
    now = json.loads(json.dumps(_settings(options, card)))
    try:
        then = _defaults(now) | json.loads((folder / _SETTINGS_FILE).read_text())
        differing = [name for name in now if now[name] != then[name]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"--resume: {folder} has no readable settings.json") from error
    if differing:
        name = differing[0]
        raise ConfigurationError(
            f"--resume: {name} was {then[name]} in {folder}, now it is {now[name]}: "
            "expected the same, or a new run without --resume"
        )
    return folder


def unnamed_output(*, is_resumed: bool) -> Path:
    """Checkpoint of a run without `--output`: model.ckpt, model_1.ckpt, ..., none written twice.

    A resumed run goes on with the latest one.
    """
    free = next(one for one in _unnamed_outputs() if not one.exists())
    if not is_resumed:
        return free
    begun = [one for one in _unnamed_outputs() if one.with_suffix(".runs").exists()]
    return begun[-1] if begun else free


def _unnamed_outputs() -> list[Path]:
    return [Path("model.ckpt"), *(Path(f"model_{number}.ckpt") for number in range(1, _MOST))]


def newest_run_folder(options: argparse.Namespace) -> Path:
    """Folder of the newest run, for a process that joins a training (rank 1 and above)."""
    runs = _runs(options)
    return runs / f"{_PREFIX}{max(_numbers(runs), default=0)}"


def _runs(options: argparse.Namespace) -> Path:
    given = getattr(options, "default_root_dir", None)
    return Path(given) if given else options.output.with_suffix(".runs")


def _numbers(runs: Path) -> list[int]:
    names = [path.name.removeprefix(_PREFIX) for path in runs.glob(f"{_PREFIX}*")]
    return [int(name) for name in names if name.isdigit()]


def _settings(options: argparse.Namespace, card: UnetCard) -> dict[str, Any]:
    names = (*_DECISIVE, *_ONCE_UNRECORDED, *options_of(Augmentation))
    decisive = {name: getattr(options, name, None) for name in names}
    return decisive | {
        "encoder_args": card.encoder_widths,
        "structures": [structure.name for structure in card.structures],
        "working_spacing": card.working_spacing_mm,
        "training_data": card.training_fingerprint,
    }


def _defaults(now: dict[str, Any]) -> dict[str, Any]:
    """Values of options that the version that began a run did not record."""
    fields = options_of(Augmentation)
    added: dict[str, Any] = json.loads(json.dumps({name: fields[name].default for name in fields}))
    return added | {name: now[name] for name in _ONCE_UNRECORDED}
