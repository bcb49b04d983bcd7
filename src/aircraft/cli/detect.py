"""`aircraft detect`: find and count the aircraft in images of any size."""

import sys
import warnings
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from aircraft import InputError, quoted
from aircraft.cli import options
from aircraft.cli.options import Answer, table


def detect(
    images: options.Images,
    out: options.ResultFolder,
    model: options.ModelOrNone = None,
    threshold: options.Threshold = None,
    method: options.Method = "dense",
    stride: options.Stride = 8,
    gsd: options.PixelSize = None,
    bands: options.Bands = None,
    stretch: options.Stretch = None,
    block: options.BlockSize = 1024,
    fast: options.Fast = False,
    device: options.Device = "auto",
    force: options.Foreign = False,
    progress: options.Progress = True,
    json: options.Json = False,
) -> Answer:
    """Find the aircraft in images and count them, with the network that comes along or one of your own.

    Writes for each image DIR/<name>.json, .geojson, and .png with the boxes drawn; one that cannot be used is
    told, and the others are done. The processes of a torchrun job share the images, or the blocks of one.
    """
    import ignite.distributed as idist
    import numpy as np
    import torch

    from aircraft import detection, imagery, models
    from aircraft.cli import outputs, runs
    from aircraft.training import devices

    if model is None and runs.is_model(images[0]):  # as `detect RUN IMAGE...`
        model, *images = images
    files = imagery.find(images)
    network, card = models.load(model_file := runs.model_file(model))
    _check_names(files, out, model_file, force)
    with devices.parallel():
        network.to(where := devices.choose(device))
        least = detection.default_threshold(network) if threshold is None else threshold
        spread = card.count_spread if threshold is None else None  # that of another threshold is not known
        amp = fast and devices.amp_dtype("auto", where) is torch.bfloat16
        scoring: dict[str, Any] = {"method": method, "stride": stride, "block": block, "amp": amp}
        blank = imagery.ArrayImage(np.zeros((64, 64, 3), np.uint8), str(model_file))
        detection.detect(network, blank, least, **scoring)  # says what is wrong with model or options
        share, bar = len(files) < idist.get_world_size(), progress and devices.is_first()

        def work(file: Path) -> dict[str, Any]:
            with devices.together(share):
                source = imagery.open_image(file, gsd=gsd, bands=bands, stretch=stretch)
            found = detection.detect(network, source, least, **scoring, share=share, progress=bar)
            with devices.together(share):
                if not share or devices.is_first():
                    outputs.write(out, file.stem, found, source, least)
            written = [str(path) for path in outputs.paths(out, file.stem)]
            sure = {"interval": detection.count_interval(len(found), spread)} if spread else {}
            return {"image": str(file), "count": len(found), **sure, "files": written}

        careful, shown = (partial(_going_on, work), progress) if len(files) > 1 else (work, False)
        results = runs.each(careful, files, description="images", progress=shown, share=not share)
    values = {"model": str(model or model_file), "threshold": least, "method": method, "out": str(out)}
    return _answer(values, results, json)


def _going_on(work: Callable[[Path], dict[str, Any]], file: Path) -> dict[str, Any]:
    """The work on one of several images; one that cannot be used is told, and is not the end."""
    try:
        return work(file)
    except (InputError, OSError, MemoryError) as error:
        warnings.warn(line := str(error) or f"{file}: out of memory", stacklevel=2)
        return {"image": str(file), "error": line}


def _answer(values: dict[str, Any], results: list[dict[str, Any]], json: bool) -> Answer:
    failed = [result for result in results if "error" in result]
    done = [result for result in results if "error" not in result]
    total = sum(result["count"] for result in done)
    names = [quoted(result["image"]) for result in done]
    between = ["{} to {}".format(*result["interval"]) if "interval" in result else "" for result in done]
    rows = list(zip([result["count"] for result in done], between, names, strict=True))
    said = f"{total} aircraft in {len(done)} images, with a score of at least {values['threshold']:.3f}"
    text = f"{table([('aircraft', '90 % sure', 'image'), *rows])}\n{said}"
    if done:
        text += f"\nnext: look at {quoted(done[0]['files'][-1])}"
    lost = ", ".join(result["image"] for result in failed[:3]) + ", ..." * (len(failed) > 3)
    trouble = f"{len(failed)} of {len(results)} images failed, as noted above: {lost}" if failed else ""
    return Answer(values | {"count": total, "images": done, "failed": failed}, text, json, trouble)


def _check_names(files: list[Path], out: Path, model: Path, force: bool) -> None:
    """No result may replace that of another image, what is read, or what is not ours."""
    from aircraft.cli import outputs

    fold = str.casefold if sys.platform in ("win32", "darwin") else str  # there a.png is A.png as well
    stem, times = Counter(fold(file.stem) for file in files).most_common(1)[0]
    if times > 1:
        same = ", ".join(str(file) for file in files if fold(file.stem) == stem)
        raise InputError(f"{same}: results named {stem}.json would replace each other; rename one")
    targets = [path for file in files for path in outputs.paths(out, file.stem)]
    outputs.check(targets, [*files, model], "give another folder for --out", force)
