"""`python -m bench.learning`: training from an HDF5 data set compared with training from memory."""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.isolated import Prepared, run_isolated
from bench.page import as_markdown, into_page
from bench.report import OURS, Case, measure, report
from model.data.annotated_images import AnnotatedImage, SeriesKey
from model.data.augment import Augmentation
from model.data.data_set_file import open_data_set
from model.data.data_set_writer import merge, write_patient
from model.data.loading import BatchSettings, Item, learning_batches
from model.data.samples import SamplesInMemory
from model.inference.structure import Structure
from model.inference.unet import UNet
from model.training.losses import loss_named

_STRUCTURES = (
    Structure("Inner", (230, 159, 0), "ORGAN"),
    Structure("Outer", (0, 114, 178), "ORGAN"),
)
_PATIENTS, _SLICES = 4, 40
_GOAL = 0.9
_MEMORY = "same work from memory"


def main() -> None:
    """Print one table; `x ours` of a memory side is our share of its samples per second."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=256, help="rows and columns")
    parser.add_argument("--crop", type=int, default=128)
    parser.add_argument("--batch_size", type=int, default=8)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--encoder_args", default="12,24,48,96,128")
    parser.add_argument("--num_workers", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument(
        "--docs", action="store_true", help="write the table to docs/performance.md"
    )
    values = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="slicewire-bench-") as name:
        path = _data_set(Path(name), values.size)
        case = _case(path, values)
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    title = f"Training on {device}: {values.size} x {values.size}, crops of {values.crop}, "
    title += f"batches of {values.batch_size}, {values.num_workers} workers"
    report("learning", title, {**vars(values), "device": device, "goal": _GOAL}, [case])
    words = _share(case)
    print(words)  # noqa: T201
    if values.docs:
        into_page("learning", as_markdown(title, case, [words]))


def _share(case: Case) -> str:
    """Share of the speed from memory that is reached from the file, with the goal."""
    of_memory = case.summary(_MEMORY)
    low, high = of_memory["times_our_seconds_from_to"]
    ours = case.summary(OURS)
    return (
        f"From HDF5 come {of_memory['times_our_seconds']:.2f} ({low:.2f}-{high:.2f}) of the "
        f"samples per second that come from memory (aim: {_GOAL:g}), at {ours['peak_mb']:.0f} MB "
        f"at most in the training process, {of_memory['peak_mb']:.0f} MB from memory."
    )


def train(path: str, source: str, *sizes: str) -> Prepared:
    """Training steps; `source` is `hdf5`, `memory` (no file) or `ready` (ready-made batches)."""
    widths, crop, batch_size, steps, workers = sizes
    device = "cuda" if torch.cuda.is_available() else "cpu"
    settings = BatchSettings(
        int(batch_size), 50, int(workers), 1, Augmentation(crop=(int(crop), int(crop)))
    )
    network = UNet(tuple(map(int, widths.split(","))), len(_STRUCTURES)).to(device)
    batches = _batches(Path(path), source, settings)
    step = _stepper(network, device)
    for batch in islice(batches, 3):  # the first batches start workers and select kernels
        step(batch)

    def work() -> float:
        begun = time.perf_counter()
        for batch in islice(batches, int(steps)):
            step(batch)
        if device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - begun

    count = int(steps) * int(batch_size)
    return work, lambda seconds: {
        "samples/s": round(count / seconds, 1),
        "workers MB": round(_workers_mb()),
    }


def _workers_mb() -> float:
    """Memory of the processes that prepare batches, shared pages divided (proc(5), Pss)."""
    total = 0
    for process in active_children():
        lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
        total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total * 1024 / 1e6


def _stepper(network: UNet, device: str) -> Any:
    optimizer = torch.optim.AdamW(network.parameters())

    def step(batch: Item) -> None:
        images, masks, known = (one.to(device, non_blocking=True) for one in batch)
        with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
            loss = loss_named("dice_ce")(network(images), masks, known)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return step


def _batches(path: Path, source: str, settings: BatchSettings) -> Iterator[Item]:
    data_set = open_data_set(path)
    if source == "hdf5":
        return iter(learning_batches(data_set, settings=settings))
    samples = [data_set.read(entry) for entry in data_set.samples()]
    in_memory = learning_batches(SamplesInMemory(_STRUCTURES, samples, ()), settings=settings)
    return iter(in_memory) if source == "memory" else _again(list(islice(in_memory, 8)))


def _again(batches: Iterable[Item]) -> Iterator[Item]:
    while True:
        yield from batches


def _case(path: Path, values: argparse.Namespace) -> Case:
    sizes = [
        values.encoder_args, str(values.crop), str(values.batch_size), str(values.steps),
        str(values.num_workers),
    ]  # fmt: skip

    def side(source: str) -> Any:
        return lambda: run_isolated(
            sys.executable, "bench.learning.__main__:train", path, source, *sizes
        )

    sides = {
        f"{OURS}": side("hdf5"),
        _MEMORY: side("memory"),
        "ready batches in memory": side("ready"),
    }
    return measure(f"encoder {values.encoder_args}", values.runs, sides)


def _data_set(folder: Path, size: int) -> Path:
    """Write a data set of noise with discs, which compresses no better than real images."""
    random = np.random.default_rng(1)
    parts = []
    for patient in range(_PATIENTS):
        parts.append(folder / f"{patient}.part")
        with write_patient(parts[-1], f"p{patient}", _STRUCTURES) as writer:
            for number in range(_SLICES):
                writer.add(SeriesKey("MR-1", "MR", "arrays"), _drawn(number, size, random))
    merge(folder / "data.h5", parts)
    return folder / "data.h5"


def _drawn(number: int, size: int, random: np.random.Generator) -> AnnotatedImage:
    rows, columns = np.mgrid[:size, :size]
    centre = random.uniform(size * 0.4, size * 0.6, 2)
    distance = np.hypot(rows - centre[0], columns - centre[1])
    masks = np.stack([distance < size * 0.08, (distance >= size * 0.08) & (distance < size * 0.12)])
    image = np.rint(random.normal(300, 60, (size, size)) + 400 * masks[0]).astype(np.float32)
    return AnnotatedImage(str(number), image, masks, (True, True), (1.4, 1.4))


if __name__ == "__main__":
    main()
