"""`aircraft detect`: find and count the aircraft in images of any size."""

import math
from collections import Counter
from pathlib import Path
from typing import Any

from aircraft import InputError
from aircraft.cli import options
from aircraft.cli.options import Answer, table


def detect(
    model: options.ModelFile,
    images: options.Images,
    out: options.ResultFolder,
    threshold: options.Threshold = None,
    method: options.Method = "dense",
    stride: options.Stride = 8,
    gsd: options.PixelSize = None,
    block: options.BlockSize = 1024,
    fast: options.Fast = False,
    device: options.Device = "auto",
    progress: options.Progress = True,
    json: options.Json = False,
) -> Answer:
    """Find the aircraft in images and count them.

    Writes for each image DIR/<name>.json, DIR/<name>.geojson and DIR/<name>.png with the boxes drawn.
    The processes of a torchrun job share the images, or the blocks of each where the images are fewer.
    """
    if threshold is not None and not (math.isfinite(threshold) and 0 <= threshold <= 1):
        raise InputError(f"threshold {threshold:g} is not possible; scores lie between 0 and 1")
    import ignite.distributed as idist
    import torch

    from aircraft import detection, imagery, models
    from aircraft.cli import outputs, runs
    from aircraft.training import devices

    files = imagery.find(images)
    _check_names(files, out)
    with devices.parallel():
        network, _ = models.load(runs.model_file(model))
        network.to(where := devices.choose(device))
        least = detection.default_threshold(network) if threshold is None else threshold
        amp = fast and devices.amp_dtype("auto", where) is torch.bfloat16
        by_image = len(files) >= idist.get_world_size()

        def work(file: Path) -> dict[str, Any]:
            source = imagery.open_image(file, gsd=gsd)
            found = detection.detect(
                network, source, least, method=method, stride=stride, block=block, amp=amp,
                share=not by_image, progress=progress and devices.is_first(),
            )  # fmt: skip
            if by_image or devices.is_first():
                outputs.write(out, file.stem, found, source, least)
            written = [str(path) for path in outputs.paths(out, file.stem)]
            return {"image": str(file), "count": len(found), "files": written}

        bar = progress and len(files) > 1
        results = runs.each(work, files, description="images", progress=bar, share=by_image)
    total = sum(result["count"] for result in results)
    values = {"model": model, "threshold": least, "method": method, "out": str(out), "count": total}
    rows = [(result["count"], result["image"]) for result in results]
    text = (
        f"{table([('aircraft', 'image'), *rows])}\n"
        f"{total} aircraft in {len(files)} images, with a score of at least {least:.3f}\n"
        f"next: look at {results[0]['files'][-1]}"
    )
    return Answer(values | {"images": results}, text, json)


def _check_names(files: list[Path], out: Path) -> None:
    """No result may replace that of another image, nor an image itself."""
    stem, times = Counter(file.stem for file in files).most_common(1)[0]
    if times > 1:
        same = ", ".join(str(file) for file in files if file.stem == stem)
        raise InputError(
            f"{same}: results are named {stem}.json, so these would replace each other; rename one"
        )
    for file in files:
        if file.resolve() == (out / f"{file.stem}.png").resolve():
            raise InputError(
                f"{file}: the picture with the boxes would replace it; give another folder for --out"
            )
