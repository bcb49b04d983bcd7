"""The part of byvalue.py that knows torch: tensors with their gradients, generators, networks.

A network of the student's own class has its weights on both sides and computes on his. What was computed
from weights on one side asks that side for its gradients.
"""

from collections.abc import Callable, Iterator
from functools import partial
from types import MethodType
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import UninitializedBuffer, UninitializedParameter, is_lazy
from torch.utils.data import default_collate

from aircraft_course.checks.byvalue import NOT_PLAIN, Read, Write, fields_of, fill_fields
from aircraft_course.checks.names import is_known

_NAMED = (torch.dtype, torch.memory_format, torch.layout)

READ: dict[str, Callable[[Any, Read], Any]] = {
    "size": lambda told, _: torch.Size(told),
    "torch": lambda told, _: _named(told),
    "device": lambda told, _: torch.device(told if torch.cuda.is_available() else "cpu"),
    "collate": lambda told, _: default_collate,
}


def plain(value: Any) -> Any:
    """As byvalue._plain, for what torch has of such values."""
    if type(value) is torch.Size:
        return {"k": "size", "v": list(value)}
    if isinstance(value, _NAMED):
        return {"k": "torch", "v": str(value).removeprefix("torch.")}
    if isinstance(value, torch.device):
        return {"k": "device", "v": str(value)}
    return {"k": "collate", "v": None} if value is default_collate else NOT_PLAIN


def is_network(kind: type) -> bool:
    """Whether a class is that of networks or their layers."""
    return issubclass(kind, nn.Module)


def is_shared(value: Any) -> bool:
    """Whether an object is one of those that both sides have."""
    return isinstance(value, torch.Tensor | torch.Generator | nn.Module)


def content(thing: Any, write: Write) -> tuple[Any, bytes] | None:
    """As byvalue._content; None for what is described by its attributes alone."""
    if is_lazy(thing):
        return ["lazy", _named_type(thing), thing.requires_grad, isinstance(thing, nn.Parameter)], b""
    if isinstance(thing, torch.Tensor):
        told = [_named_type(thing), list(thing.shape), thing.requires_grad, isinstance(thing, nn.Parameter)]
        if thing.is_meta:
            return ["meta", *told], b""
        grad = write(thing.grad) if thing.is_leaf else None
        origin = [write(MethodType(_slopes, thing)), *map(write, _leaves(thing))] if thing.grad_fn else []
        return ["tensor", *told, grad, [write(hook) for hook in _hooks(thing)], origin], _raw(thing)
    if isinstance(thing, torch.Generator):
        return ["torch draws"], _raw(thing.get_state())
    if not isinstance(thing, nn.Module) or is_known(type(thing)):
        return None
    there = vars(thing)["elsewhere"] if isinstance(thing, Elsewhere) else MethodType(_compute, thing)
    fields = [one for one in fields_of(thing, write) if one[0] != "elsewhere"]
    return ["network", write(there), fields], b""


def shell(kind: str, told: list[Any], raw: bytes) -> Any:
    """As byvalue._shell."""
    if kind in ("tensor", "meta"):
        empty = partial(torch.empty, told[1], dtype=_named(told[0]), device="meta")
        tensor = empty() if kind == "meta" else _tensor(told[0], told[1], raw)
        if told[3]:
            return nn.Parameter(tensor, requires_grad=bool(told[2]))
        return tensor.clone()  # no view: it may get an origin
    if kind == "lazy":
        made: Any = UninitializedParameter if told[2] else UninitializedBuffer
        return made(bool(told[1]), dtype=_named(told[0]))
    if kind == "torch draws":
        return torch.Generator()
    if kind == "network":
        return Elsewhere.__new__(Elsewhere)
    raise ValueError(f"there is no kind {kind!r}")


def fill(thing: Any, kind: str, told: list[Any], raw: bytes, read: Read) -> None:
    """As byvalue._fill."""
    if kind == "lazy":
        return
    if kind == "meta":
        thing.requires_grad_(told[2])
    elif kind == "tensor":
        if is_lazy(thing):  # it got its shape on the other side
            thing.materialize(told[1], dtype=_named(told[0]))
        _fill_tensor(thing, told, raw, read)
    elif kind == "torch draws":
        thing.set_state(_tensor("uint8", [len(raw)], raw))
    else:
        fill_fields(thing, told[1], read)
        if isinstance(thing, Elsewhere):
            vars(thing)["elsewhere"] = read(told[0])


class Elsewhere(nn.Module):
    """A network of a class that only the other side knows: it computes there, with the weights from here."""

    def forward(self, *inputs: Any, **named: Any) -> Any:
        weights = {**dict(self.named_parameters()), **dict(self.named_buffers())}  # a copy has others
        return vars(self)["elsewhere"](weights, self.training, inputs, named)


def _compute(
    network: nn.Module, weights: dict[str, torch.Tensor], training: bool, inputs: Any, named: Any
) -> Any:
    """Where the class is known: what the network gives with these weights."""
    modes = [(module, module.training) for module in network.modules()]
    if network.training != training:
        network.train(training)
    try:
        return torch.func.functional_call(network, weights, inputs, named)
    finally:
        for module, mode in modes:
            module.training = mode


def records_gradients() -> bool:
    """Whether gradients are recorded now."""
    return torch.is_grad_enabled()


def gradients(wanted: bool) -> Any:
    """A context in which gradients are recorded, or not."""
    return torch.set_grad_enabled(wanted)


def random_state() -> str:
    """The state of torch's own generator."""
    return _raw(torch.get_rng_state()).hex()


def set_random_state(told: str) -> None:
    """Set what random_state told."""
    raw = bytes.fromhex(told)
    torch.set_rng_state(_tensor("uint8", [len(raw)], raw))


def _fill_tensor(thing: torch.Tensor, told: list[Any], raw: bytes, read: Read) -> None:
    new = _tensor(told[0], told[1], raw)
    if thing.shape != new.shape or thing.dtype != new.dtype:
        thing.data = new
    else:
        thing.data.copy_(new)
    if not thing.is_leaf:
        return
    if told[6]:
        slopes, *leaves = map(read, told[6])
        with torch.enable_grad():
            for leaf in leaves:  # perhaps its own turn to be filled comes later
                leaf.requires_grad_()
            _Computed.apply(thing, slopes, *leaves)
        return
    if thing.requires_grad != told[2]:
        thing.requires_grad_(told[2])
    thing.grad = read(told[4])
    here = _hooks(thing)
    for hook in map(read, told[5]):
        if hook not in here:
            thing.register_hook(hook)


class _Computed(torch.autograd.Function):
    """Gives a tensor, in place, the origin that it has on the other side."""

    @staticmethod
    def forward(ctx: Any, thing: torch.Tensor, slopes: Callable[..., Any], *leaves: Any) -> torch.Tensor:
        ctx.slopes, ctx.leaves = slopes, leaves
        ctx.mark_dirty(thing)
        return thing

    @staticmethod
    def backward(ctx: Any, *slopes: torch.Tensor) -> tuple[Any, ...]:
        return None, None, *ctx.slopes(slopes[0], list(ctx.leaves))


def _slopes(thing: torch.Tensor, slope: torch.Tensor, leaves: list[torch.Tensor]) -> list[Any]:
    """Where a tensor was computed: the gradients of the leaves, given that of the tensor."""
    return list(torch.autograd.grad(thing, leaves, slope, retain_graph=True, allow_unused=True))


def _leaves(thing: torch.Tensor) -> Iterator[torch.Tensor]:
    """The tensors that a tensor was computed from, as far as they are trained."""
    waiting: list[Any] = [thing.grad_fn]
    met = set(waiting)
    while waiting:
        node = waiting.pop()
        if hasattr(node, "variable"):
            yield node.variable
        new = dict.fromkeys(before for before, _ in node.next_functions if before and before not in met)
        met.update(new)
        waiting += new


def _named(name: str) -> Any:
    found = getattr(torch, name, None)
    if not isinstance(found, _NAMED):
        raise ValueError(f"torch.{name} does not travel")
    return found


def _tensor(kind: str, shape: list[int], raw: bytes) -> torch.Tensor:
    if not raw:
        return torch.zeros(0, dtype=_named(kind)).reshape(shape)
    return torch.frombuffer(bytearray(raw), dtype=_named(kind)).reshape(shape)


def _raw(tensor: torch.Tensor) -> bytes:
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""


def _named_type(tensor: torch.Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _hooks(tensor: torch.Tensor) -> list[Any]:
    return list((tensor._backward_hooks or {}).values())
