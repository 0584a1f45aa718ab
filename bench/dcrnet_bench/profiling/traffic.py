"""Bytes that one inference moves, were every node to read its inputs and write its outputs.

That is the traffic of the graph as the file has it: fusing nodes saves some of it, and a cache
keeps some of it from memory, so it bounds from above what a run moves. Weights are read once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from dcrnet_bench.profiling.graph import Node, known

# They rename or hold what is there; a delegate runs nodes that are counted already.
_FREE = {
    *("Constant", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze", "Shape"),
    *("RESHAPE", "SQUEEZE", "EXPAND_DIMS", "SHAPE", "DELEGATE"),
}


def count_bytes(nodes: Iterable[Node]) -> int:
    """Of one crop.

    Raises:
        NotCountedError: a shape is not known.
    """
    tensors = (
        known(node, tensor)
        for node in nodes
        if node.operator not in _FREE
        for tensor in (*node.inputs, *node.outputs)
    )
    return sum(math.prod(tensor.shape) * tensor.item_bytes for tensor in tensors)
