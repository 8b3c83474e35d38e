"""Adding an activation or an optimizer touches one source file: done in a copy of the package."""

import shutil
import subprocess
import sys
from pathlib import Path

import downslope

SOURCE = Path(downslope.__file__).parent
ACTIVATION = """
        Activation(
            "softsign",
            lambda z: z / (1 + jnp.abs(z)),
            formula="z / (1 + |z|)",
            source="Turian et al., 2009",
            is_elementwise=True,
            is_increasing=True,
            numpy="z / (1 + np.abs(z))",
            torch="nn.Softsign()",
            keras="softsign",
            onnx=lambda graph, z: graph.node("Softsign", z),
        ),
"""
OPTIMIZER = """
        OptimizerRecord(
            "lion",
            0.0003,
            "sign(b1 m + (1 - b1) g), where m <- b2 m + (1 - b2) g",
            "Chen et al., Symbolic discovery of optimization algorithms, 2023",
            optax.scale_by_lion,
            MappingProxyType({"b1": _fraction(0.9), "b2": _fraction(0.99)}),
            state="mean of the gradients of lion",
            decouples=True,
        ),
"""
USE = """
import numpy as np
import downslope as ds

run = ds.train("dense 16 softsign, dense 10", "digits", optimizer="lion", epochs=3)
assert run.settings.learning_rate == 0.0003, run.settings
assert run.settings.optimizer.b2 == 0.99
run.save("run")
opened = ds.open_run("run")
ds.export(opened, "digits.py", to="numpy")
import digits

inputs = ds.load("digits").test.inputs[:5]
np.testing.assert_allclose(digits.outputs(inputs), run.outputs(inputs), rtol=1e-4, atol=1e-4)
assert "softsign" in str(ds.catalogue("activations"))
assert "lion" in str(ds.catalogue("optimizers"))
try:
    ds.Optimizer("lions")
except ds.SettingError as error:
    assert "Did you mean 'lion'?" in str(error)
"""


def add(file: Path, registry: str, record: str) -> None:
    """Put a record first into a registry, as a person would."""
    text = file.read_text(encoding="utf-8")
    start = text.index(f"{registry} = Registry(")
    place = text.index("    [\n", start) + len("    [\n")
    file.write_text(text[:place] + record.lstrip("\n") + text[place:], encoding="utf-8")


def test_an_activation_and_an_optimizer_are_added_in_one_file_each(tmp_path):
    copy = tmp_path / "src" / "downslope"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    add(copy / "nn" / "activations.py", "ACTIVATIONS", ACTIVATION)
    add(copy / "engine" / "optimizers.py", "OPTIMIZERS", OPTIMIZER)
    script = tmp_path / "use.py"
    script.write_text(USE, encoding="utf-8")
    path = f"import sys; sys.path[:0] = [{str(tmp_path / 'src')!r}, {str(tmp_path)!r}]"
    done = subprocess.run(
        [sys.executable, "-c", f"{path}; exec(open('use.py').read())"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
