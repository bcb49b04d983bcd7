"""Notebook kernels of this very Python, for the builder of the notebooks and for the autograder.

A kernel named in a notebook or in the user's settings could be another Python, without the package.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ipykernel.kernelspec import get_kernel_dict
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from nbclient import NotebookClient
from nbformat import NotebookNode


class _ThisPython(KernelSpecManager):  # type: ignore[misc, unused-ignore]  # jupyter_client may come untyped
    before: Sequence[str] = ()

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        told = get_kernel_dict()
        return KernelSpec(**told | {"argv": [*self.before, *told["argv"]]})


def client(
    notebook: NotebookNode,
    *,
    folder: Path,
    timeout: int,
    kind: type[NotebookClient] = NotebookClient,
    sockets: Path | None = None,
    before: Sequence[str] = (),
    **options: Any,
) -> NotebookClient:
    """A client for `notebook` in `folder`: each cell has `timeout` seconds, the kernel ends with the work.

    `sockets`: a folder through which the kernel is reached, in place of the network. `before`: the words of a
    command that starts the kernel's.
    """
    specs = _ThisPython()
    specs.before = before
    manager = AsyncKernelManager(kernel_spec_manager=specs)
    if sockets is not None:
        manager.connection_file = str(sockets / "kernel.json")
        if os.name != "nt":
            manager.transport, manager.ip = "ipc", str(sockets / "kernel")
    made = kind(
        notebook,
        km=manager,
        resources={"metadata": {"path": str(folder)}},
        timeout=timeout,
        record_timing=False,
        store_widget_state=True,  # else an output inside a widget is a KeyError; the builder drops it all
        coalesce_streams=True,
        **options,
    )
    made.owns_km = True  # else the kernel lives on, and its sockets disturb those of the next one
    return made


def environment(**changes: str | None) -> dict[str, str]:
    """The variables of this process with some changed, or with None removed, for a kernel to start with."""
    merged: dict[str, str | None] = {**os.environ, "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    merged |= {"PYDEVD_DISABLE_FILE_VALIDATION": "1"} | changes
    return {name: value for name, value in merged.items() if value is not None}
