"""A network in NumPy alone: the arithmetic of each layer in a line or two."""

from __future__ import annotations

from downslope.exporting.model import Model
from downslope.exporting.source import Body, Source, assemble, exported


def numpy_source(model: Model, stem: str) -> Source:
    """The file for NumPy.

    Args:
        model: What is exported.
        stem: The file's name without its suffix.
    """
    body = Body(
        library="NumPy and nothing else",
        imports=(),
        arrays="dict(np.load(WEIGHTS))",
        suffix=".npz",
        definition="\n".join(
            [
                "def network(x):",
                '    """The layers, one after another, from scaled inputs to outputs."""',
                *[f"    {line}" for line in exported(model, "numpy")],
                "    return x",
            ]
        ),
        call=("x = network(x)",),
        weights=model.named_parameters,
    )
    return assemble(model, body, stem)
