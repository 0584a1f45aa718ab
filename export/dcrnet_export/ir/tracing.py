"""What a network computes, call by call.

The network runs once, and each call of a torch function is noted with the module that makes it.
Unlike ``torch.fx``'s symbolic trace this follows Python that looks at a map's side, as "same"
padding does; unlike ``torch.export`` it takes no seconds and keeps torch's own functions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor that depends on the input.

    Attributes:
        number: in the order of computation; the input is 0.
        shape: such as (1, C, S, S) or (1, C).
    """

    number: int
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One call of a torch function.

    Attributes:
        function: its name, ``conv2d`` say; an in-place one without its underscore.
        args: tensors that depend on the input as :class:`Value`, others as the network's own.
        kwargs: likewise.
        scope: path of the module that calls; empty for the network itself.
        result: what it gives.
    """

    function: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    scope: str
    result: Value


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """All calls of a network.

    Attributes:
        calls: in the order of computation.
        output: what the network gives.
        givers: number of a value -> paths of the modules that return it, the innermost first.
    """

    calls: tuple[Call, ...]
    output: Value
    givers: Mapping[int, Sequence[str]]


def trace(network: nn.Module, size_px: int) -> Trace:
    """Follow a network in eval mode on one (1, 3, size_px, size_px) uint8 image."""
    recorder = _Recorder()
    codes = torch.zeros((1, 3, size_px, size_px), dtype=torch.uint8)
    recorder.note(codes)
    with torch.inference_mode(), recorder.watching(network), recorder:
        output = network(codes)
    return Trace(tuple(recorder.calls), recorder.known(output), recorder.givers)


class _Recorder(TorchFunctionMode):
    """Notes calls and who returns their results."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []
        self.givers: dict[int, list[str]] = defaultdict(list)
        self._values: dict[int, Value] = {}
        self._noted = 0
        self._scopes = [""]

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        given = tuple(self._seen(each) for each in args)
        named = {name: self._seen(each) for name, each in kwargs.items()}
        results = func(*args, **kwargs)
        name = func.__name__ if func.__name__.startswith("__") else func.__name__.rstrip("_")
        depends = _depends((*given, *named.values()))
        for result in results if isinstance(results, tuple | list) else (results,):
            if isinstance(result, Tensor) and depends:
                scope = self._scopes[-1]
                self.calls.append(Call(name, given, named, scope, self.note(result)))
            elif isinstance(result, Tensor):
                self._values.pop(id(result), None)  # of one that has gone
        return results

    def note(self, tensor: Tensor) -> Value:
        """A new value; what an in-place function returns is one too."""
        value = Value(self._noted, tuple(tensor.shape))
        self._noted += 1
        self._values[id(tensor)] = value
        return value

    def known(self, tensor: Tensor) -> Value:
        """The value that a tensor has now."""
        return self._values[id(tensor)]

    @contextmanager
    def watching(self, network: nn.Module) -> Iterator[None]:
        """Know which module is at work, and what each returns."""
        handles = []
        for path, module in network.named_modules():
            handles.append(module.register_forward_pre_hook(self._entering(path)))
            handles.append(module.register_forward_hook(self._leaving(path)))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _entering(self, path: str) -> Callable[[nn.Module, Any], None]:
        def enter(_module: nn.Module, _inputs: Any) -> None:
            self._scopes.append(path)

        return enter

    def _leaving(self, path: str) -> Callable[[nn.Module, Any, Any], None]:
        def leave(_module: nn.Module, _inputs: Any, output: Any) -> None:
            self._scopes.pop()
            if isinstance(output, Tensor) and id(output) in self._values:
                self.givers[self._values[id(output)].number].append(path)

        return leave

    def _seen(self, given: Any) -> Any:
        match given:
            case Tensor():
                return self._values.get(id(given), given)
            case list() | tuple():
                return tuple(self._seen(each) for each in given)
            case _:
                return given


def _depends(given: Any) -> bool:
    """Whether anything in it depends on the input."""
    return isinstance(given, Value) or (isinstance(given, tuple) and any(map(_depends, given)))
