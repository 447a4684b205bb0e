"""`python -m bench.learning.inference`: a series of many instances through a model."""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.isolated import Prepared, run_isolated
from bench.page import as_markdown, into_page
from bench.report import OURS, measure, report
from model.inference.checkpoint import save_checkpoint
from model.inference.predict import load_segmenter
from model.inference.structure import Structure
from model.inference.unet import UNet
from model.inference.unet_card import Postprocessing, UnetCard
from pipeline.kinds.unet import SHIPPED_CHECKPOINT

_DEFAULT_WIDTHS = "32,64,128,256,512,1024"


def main() -> None:
    """Print one table: batches beside one instance at a time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", type=int, nargs=3, default=[300, 256, 256])
    parser.add_argument("--spacing", type=float, default=1.37, help="pixel spacing in mm")
    parser.add_argument(
        "--encoder_args", default="",
        help=f"a network of these widths instead of the shipped one, such as {_DEFAULT_WIDTHS}",
    )  # fmt: skip
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument(
        "--docs", action="store_true", help="write the table to docs/performance.md"
    )
    values = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="slicewire-bench-") as name:
        path = _checkpoint(Path(name), values.encoder_args)
        case = _case(path, values)
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    slices, rows, columns = values.shape
    title = f"Inference on {device}: {slices} x {rows} x {columns}, pixels of {values.spacing:g} mm"
    report("learning_inference", title, {**vars(values), "device": device}, [case])
    if values.docs:
        into_page("learning.inference", as_markdown(title, case))


def predict(path: str, at_a_time: str, threads: str, *series: str) -> Prepared:
    """All computation of the pipeline, from images to masks; `at_a_time` 0 is the default."""
    slices, rows, columns = (int(one) for one in series[:3])
    spacing = float(series[3])
    torch.set_num_threads(int(threads) or torch.get_num_threads())
    segmenter = load_segmenter(Path(path))
    images = _images(slices, rows, columns)
    segmenter.predict(images[:1], (spacing, spacing))  # what a GPU sets up at first use
    seconds: list[float] = []

    def work() -> Any:
        before = _now()
        masks = segmenter.predict(images, (spacing, spacing), at_a_time=int(at_a_time) or None)
        seconds.append(_now() - before)
        return masks

    return work, lambda _: {"slices/s": round(slices / seconds[-1], 1)}


def _now() -> float:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def _case(path: Path, values: argparse.Namespace) -> Any:
    series = [str(one) for one in (*values.shape, values.spacing)]

    def side(at_a_time: int) -> Any:
        arguments = [str(path), str(at_a_time), str(values.threads), *series]
        return lambda: run_isolated(sys.executable, "bench.learning.inference:predict", *arguments)

    return measure("images to masks", values.runs, {OURS: side(0), "one by one": side(1)})


def _checkpoint(folder: Path, encoder_args: str) -> Path:
    """Shipped checkpoint, or one with random weights, whose number alone decides the time."""
    if not encoder_args:
        return SHIPPED_CHECKPOINT
    widths = tuple(int(one) for one in encoder_args.split(","))
    card = UnetCard(
        name="bench", version="1", intended_use="demonstration",
        structures=(Structure("Any", (230, 159, 0), "ORGAN"),), finishing=(Postprocessing(),),
        encoder_widths=widths, working_spacing_mm=1.0, percentiles=(1.0, 99.0),
        modalities=("MR",), pixel_spacing_range_mm=(0.1, 10.0), views=1,
        training_fingerprint="", training_instances=0,
    )  # fmt: skip
    torch.manual_seed(1)
    path = folder / "bench.ckpt"
    save_checkpoint(path, card, UNet(widths, 1).state_dict())
    return path


def _images(slices: int, rows: int, columns: int) -> Any:
    """Images of noise, each with a bright disc."""
    random = np.random.default_rng(1)
    y, x = np.mgrid[:rows, :columns]
    disc = np.hypot(y - rows / 2, x - columns / 2) < min(rows, columns) / 8
    images = random.normal(100, 20, (slices, rows, columns)).astype(np.float32)
    images[:, disc] += 200
    return images


if __name__ == "__main__":
    main()
