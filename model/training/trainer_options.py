"""The options of Lightning's Trainer on a command line, as its own signature names them."""

import argparse
import inspect
import re
import types
from collections.abc import Mapping
from typing import Any, Literal, Union, get_args, get_origin

import pytorch_lightning as lightning

_OTHERWISE = (
    "self", "precision", "callbacks", "plugins", "logger", "enable_checkpointing",
    "use_distributed_sampler", "enable_autolog_hparams", "model_registry",
)  # fmt: skip
"""Objects that a command line cannot give, and what has an option of its own."""
OUR_DEFAULTS: Mapping[str, Any] = {
    "max_steps": 1000,
    "gradient_clip_val": 5.0,
    "num_sanity_val_steps": 0,
    "log_every_n_steps": 10,
    "enable_model_summary": False,
}
"""Where the project departs from the Trainer; `--max_epochs` alone lifts the limit of steps."""


def add_trainer_options(group: argparse._ArgumentGroup) -> None:
    """An option for each parameter of the Trainer that plain words can express."""
    words = _descriptions()
    for name, parameter in _parameters().items():
        default = OUR_DEFAULTS.get(name, parameter.default)
        group.add_argument(
            f"--{name}",
            type=_Reader(parameter.annotation),
            default=argparse.SUPPRESS,
            metavar="VALUE",
            help=f"{words.get(name, 'see the Trainer')} (default: {default})".replace("%", "%%"),
        )


def trainer_arguments(options: argparse.Namespace) -> dict[str, Any]:
    """What was given of the Trainer's options, over `OUR_DEFAULTS`."""
    given = {name: value for name, value in vars(options).items() if name in _parameters()}
    defaults = dict(OUR_DEFAULTS)
    if "max_epochs" in given:
        defaults["max_steps"] = -1
    return defaults | given


class _Reader:
    """Text to a value of one of the types of an annotation; nothing is evaluated."""

    def __init__(self, annotation: Any) -> None:
        self._types = _plain_types(annotation)

    def __call__(self, text: str) -> Any:
        word = text.strip().lower()
        if word == "none" and type(None) in self._types:
            return None
        if word in ("true", "false") and bool in self._types:
            return word == "true"
        for kind in (int, float, str):
            if kind in self._types:
                try:
                    return kind(text)
                except ValueError:
                    continue
        raise argparse.ArgumentTypeError(f"{text}: expected {self._expected()}")

    def _expected(self) -> str:
        words = {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}
        return " or ".join(words[kind] for kind in words if kind in self._types)


def _parameters() -> dict[str, inspect.Parameter]:
    every = inspect.signature(lightning.Trainer.__init__).parameters
    return {
        name: parameter
        for name, parameter in every.items()
        if name not in _OTHERWISE and _plain_types(parameter.annotation) - {type(None)}
    }


def _plain_types(annotation: Any) -> set[Any]:
    """Those of bool, int, float, str and None that `annotation` allows."""
    if get_origin(annotation) in (Union, types.UnionType):
        return {kind for part in get_args(annotation) for kind in _plain_types(part)}
    if get_origin(annotation) is Literal:
        return {type(value) for value in get_args(annotation)}
    return {annotation} & {bool, int, float, str, type(None)}


def _descriptions() -> dict[str, str]:
    """The first sentence on each parameter in the Trainer's own documentation."""
    text = inspect.getdoc(lightning.Trainer.__init__) or ""
    found = re.findall(r"^    (\w+): (.+(?:\n {6,}.+)*)", text, flags=re.MULTILINE)
    return {
        name: re.split(r"(?<=\w)\.\s", f"{' '.join(words.split())} ")[0] for name, words in found
    }
