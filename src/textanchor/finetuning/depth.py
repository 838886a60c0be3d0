"""A network's layers from its input upwards, whatever library built it."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn


class Depth:
    """Layer 0 is what stands before the trunk, then a layer for each of its blocks; what follows belongs to the last.

    The trunk is the list of modules that holds most numbers, the outermost of equals. A network without one is one layer.
    """

    def __init__(self, network: nn.Module) -> None:
        lists = [(name, module) for name, module in network.named_modules() if isinstance(module, nn.ModuleList)]
        sizes = [sum(one.numel() for one in module.parameters()) for _, module in lists]
        self.trunk: str = lists[sizes.index(max(sizes))][0] if lists else ""
        self.count = len(dict(lists).get(self.trunk, ())) + 1
        self._place = {name: place for place, (name, _) in enumerate(network.named_modules())}

    def of(self, name: str) -> int:
        """The layer of a module, a parameter or a buffer, by its name within the network."""
        if self.count == 1:
            return 0
        if name.startswith(f"{self.trunk}."):
            return int(name.removeprefix(f"{self.trunk}.").split(".")[0]) + 1
        owner = name
        while owner not in self._place:
            owner = owner.rpartition(".")[0]
        return 0 if self._place[owner] < self._place[self.trunk] else self.count - 1

    def modules(self, network: nn.Module, below: int) -> Iterator[nn.Module]:
        """Modules without parts of their own in the first `below` layers."""
        for name, module in network.named_modules():
            if name and not list(module.children()) and self.of(name) < below:
                yield module
