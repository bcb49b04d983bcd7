"""Work shared by the processes of a torchrun job: each does its part, and all get the whole result.

In a single process `each` is a plain loop. All processes of a job must call `each` and `total`: they wait for
one another.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import ignite.distributed as idist
import numpy as np
import torch
from tqdm.auto import tqdm

Item = TypeVar("Item")
Result = TypeVar("Result")


def each(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    description: str = "",
    progress: bool = False,
    share: bool = True,
) -> list[Result]:
    """[work(item) for item in items]; of n processes, each does every n-th item, or all unless `share`."""
    results = [work(item) for item in mine(items, description=description, progress=progress, share=share)]
    world = idist.get_world_size() if share else 1
    if world == 1:
        return results
    parts: Any = idist.all_gather(results)  # of every process, the list of its results
    return [parts[i % world][i // world] for i in range(len(items))]


def mine(
    items: Sequence[Item], *, description: str = "", progress: bool = False, share: bool = True
) -> Iterable[Item]:
    """The items of this process: every n-th of n processes, or all unless `share`; with a bar."""
    rank, world = (idist.get_rank(), idist.get_world_size()) if share else (0, 1)
    return tqdm(items[rank::world], description, leave=False, disable=not (progress and is_first()))


def total(array: np.ndarray) -> np.ndarray:
    """The sum of the arrays of all processes."""
    if idist.get_world_size() == 1:
        return array
    summed: Any = idist.all_reduce(torch.from_numpy(array).to(idist.device()))
    return summed.cpu().numpy()


def is_first() -> bool:
    """Whether this process is the one that prints and writes files."""
    return idist.get_rank() == 0
