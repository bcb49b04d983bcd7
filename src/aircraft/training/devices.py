"""Where to compute, with which precision, and as one process or as one of several.

The same code runs on CPU, CUDA and MPS, alone or under torchrun: the differences live here. In a single
process the functions for many are plain loops. All processes of a job must call them: each waits for all.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import ignite.distributed as idist
import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from aircraft import InputError, LostProcess

Item = TypeVar("Item")


def choose(name: str = "auto") -> torch.device:
    """The device called `name`, or InputError; "auto" takes a GPU where there is one."""
    if idist.get_world_size() > 1:  # the process group of the job has fixed the device
        device = idist.device()
        if name.split(":")[0] not in ("auto", device.type):
            fault = f"device {name!r} does not fit a job of several processes on {device.type}"
            cure = "use device='auto', and CUDA_VISIBLE_DEVICES= (empty) to keep the job on the CPU"
            raise InputError(f"{fault}; {cure}")
        return device
    if name == "auto":
        return torch.device(next((kind for kind in ("cuda", "mps") if _available(kind)), "cpu"))
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError):
        raise InputError(f"device {name!r} is unknown; use auto, cpu, cuda, cuda:1 or mps") from None
    if not _available(device.type, device.index or 0):
        raise InputError(f"device {name!r} is not on this machine; use device='auto' or 'cpu'")
    return device


def amp_dtype(amp: str, device: torch.device) -> torch.dtype | None:
    """The low-precision type for `torch.autocast` on this device, None for plain float32."""
    low = amp == "bf16" or (amp == "auto" and _multiplies_bf16(device))
    return torch.bfloat16 if low else None


@contextmanager
def parallel(timeout: timedelta = timedelta(minutes=10)) -> Iterator[None]:
    """Join the other processes of a torchrun job for the length of a `with`; alone, do nothing.

    nccl on GPUs, gloo on CPUs. A process that waits longer than `timeout` for another one raises LostProcess:
    a dead or stuck rank ends the job instead of hanging it, and torchrun stops them all and names the one
    that failed first. Raises InputError where the processes cannot meet.
    """
    if os.environ.get("WORLD_SIZE", "1") == "1":
        yield
        return
    names = ("WORLD_SIZE", "RANK", "LOCAL_RANK", "MASTER_PORT", "MASTER_ADDR")
    values = [os.environ.get(name, "") for name in names]  # what lacks, ignite makes up, and waits for ever
    if not (values[4] and all(map(str.isdecimal, values[:4])) and int(values[1]) < int(values[0])):
        told = ", ".join(f"{name}={value}" for name, value in zip(names, values, strict=True))
        raise InputError(f"this is no job of torchrun: {told}; start it by torchrun, or unset WORLD_SIZE")
    try:
        idist.initialize("nccl" if torch.cuda.is_available() else "gloo", timeout=timeout)
        yield
    except RuntimeError as error:
        words = ("gloo", "NCCL", "torch.distributed", "waiting for clients")
        if not any(word in str(error) for word in words):
            raise
        lost = f"process {idist.get_rank()} lost contact with another process of the job, which died or hangs"
        cure = "torchrun names it below as root cause; mend that and run the same command with --resume"
        raise LostProcess(f"{lost}; {cure}") from error
    finally:
        idist.finalize()


@contextmanager
def together(share: bool) -> Iterator[None]:
    """What fails in one process of a job fails in all, so that none waits for another; all must come here."""
    problems: list[Exception] = []  # ours: one or none
    try:
        yield
    except Exception as error:
        problems.append(error)
    told: Any = idist.all_gather([str(p) or type(p).__name__ for p in problems]) if share else []
    if problems:
        raise problems[0]
    if others := [words[0] for words in told if words]:
        raise InputError(others[0])


def is_first() -> bool:
    """Whether this process is the one that prints and writes files."""
    return idist.get_rank() == 0


def mine(
    items: Sequence[Item], *, description: str = "", progress: bool = False, share: bool = True
) -> Iterable[Item]:
    """The items of this process: every n-th of n processes, or all unless `share`; with a bar."""
    rank, world = (idist.get_rank(), idist.get_world_size()) if share else (0, 1)
    return tqdm(items[rank::world], description, leave=False, disable=not (progress and is_first()))


def my_slice(count: int) -> slice:
    """The equal share of this process of `count` things in a row."""
    rank, world = idist.get_rank(), idist.get_world_size()
    return slice(count * rank // world, count * (rank + 1) // world)


def total(array: np.ndarray) -> np.ndarray:
    """The sum of the arrays of all processes."""
    summed: Any = idist.all_reduce(torch.from_numpy(array).to(idist.device()))
    return summed.cpu().numpy()


def gather(tensor: Tensor) -> Tensor:
    """The (n,) tensors of all processes one after the other, in order of rank; n may differ."""
    parts: Any = idist.all_gather([tensor.cpu()])  # in lists, which may hold tensors of different lengths
    return torch.cat([part for (part,) in parts]).to(tensor.device)


def average_buffers(model: nn.Module) -> None:
    """Give all processes the mean of their batch-norm statistics, so that they are one model again."""
    for buffer in model.buffers():
        if idist.get_world_size() > 1 and buffer.is_floating_point():
            buffer.copy_(torch.as_tensor(idist.all_reduce(buffer.clone())) / idist.get_world_size())


def _available(kind: str, index: int = 0) -> bool:
    if kind == "cuda":
        return torch.cuda.is_available() and index < torch.cuda.device_count()
    if kind == "mps":
        return torch.backends.mps.is_available()
    return kind == "cpu"


def _multiplies_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    # torch.cpu tells the instruction sets only under private names; an absent one means float32.
    names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return device.type == "cpu" and any(getattr(torch.cpu, name, bool)() for name in names)
