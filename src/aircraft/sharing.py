"""Work shared by the processes of a torchrun job: each does its part, and all get the whole result.

In a single process `each` is a plain loop.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import ignite.distributed as idist
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
    rank, world = (idist.get_rank(), idist.get_world_size()) if share else (0, 1)
    ours = tqdm(items[rank::world], description, leave=False, disable=not (progress and is_first()))
    mine = [work(item) for item in ours]
    if world == 1:
        return mine
    parts: Any = idist.all_gather(mine)  # of every process, the list of its results
    return [parts[i % world][i // world] for i in range(len(items))]


def is_first() -> bool:
    """Whether this process is the one that prints and writes files."""
    return idist.get_rank() == 0
