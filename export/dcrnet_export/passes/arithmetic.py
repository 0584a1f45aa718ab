"""Which operations compute on codes, and which in float."""

from __future__ import annotations

from dcrnet_export.ir.graph import (
    Add,
    Affine,
    AvgPool,
    Clamp,
    Concat,
    Conv,
    Graph,
    Input,
    MaxPool,
)


def integer_values(graph: Graph) -> set[str]:
    """The values that operations on codes give.

    Convolutions, clamps, pools and concatenations compute on codes where calibration gave them
    and what they read a range. So does a sum of what was computed on codes. A sum with something
    that was computed in float stays in float: in the 256 codes of a whole map a skip connection
    that carries floats from one gate to the next would lose three times what all other rounding
    does.
    """
    values: set[str] = set()
    for node in graph.nodes:
        has_ranges = all(name in graph.ranges for name in (node.name, *node.inputs))
        match node.op:
            case Input():
                values.add(node.name)
            case Conv() | Affine() | Clamp() | Concat() | MaxPool() | AvgPool() if has_ranges:
                values.add(node.name)
            case Add() if has_ranges and values.issuperset(node.inputs):
                values.add(node.name)
    return values
