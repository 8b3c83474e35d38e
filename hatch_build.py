"""Compiles the native kernel when Downslope is installed, where that can be done.

Without a C++ compiler, or on another kind of processor, nothing is built and nothing fails: the
path in JAX alone does the same work. DOWNSLOPE_NATIVE=0 leaves it out on purpose.
"""

import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LIBRARY = Path("src/downslope/nn/ops/_kernel.so")
# -ffp-contract lets a product and a sum become one instruction, which is twice the speed.
FLAGS = ["-O3", "-std=c++17", "-fPIC", "-ffp-contract=fast"]
SOURCES = {
    "avx2.cc": ["-mavx2", "-mfma"],
    "avx512.cc": ["-mavx512f", "-mfma"],
    "calls.cc": [],  # finds out at run time which of the two the processor has
    "convolution_calls.cc": [],
    "dense_calls.cc": [],
}


def compiler() -> str | None:
    """The C++ compiler to use, or None where the kernel is not to be built."""
    if os.environ.get("DOWNSLOPE_NATIVE") == "0" or os.name != "posix":
        return None
    if platform.machine() not in ("x86_64", "AMD64"):
        return None
    return next(filter(shutil.which, (os.environ.get("CXX", ""), "c++", "g++", "clang++")), None)


def compile_kernel(root: Path, library: Path, extra: tuple[str, ...] = ()) -> None:
    """Compile the kernel.

    Args:
        root: The folder with `native` in it.
        library: The file to make.
        extra: Further flags for the compiler.

    Raises:
        Exception: Anything that a compiler or a disk can do wrong.
    """
    import jaxlib

    headers = Path(jaxlib.__file__).parent / "include"
    command = compiler()
    assert command is not None  # asked before
    with tempfile.TemporaryDirectory() as scratch:
        objects = [Path(scratch, source).with_suffix(".o") for source in SOURCES]
        jobs = [
            subprocess.Popen(
                [
                    *(command, *FLAGS, *flags, *extra, "-isystem", str(headers)),
                    *("-c", str(root / "native" / source), "-o", str(made)),
                ],
                stderr=subprocess.PIPE,
                text=True,
            )
            for (source, flags), made in zip(SOURCES.items(), objects, strict=True)
        ]
        said = [job.communicate()[1] for job in jobs]
        if any(job.returncode for job in jobs):
            raise RuntimeError("\n".join(said))
        made = Path(scratch, "kernel.so")
        link = [command, "-shared", *map(str, objects), "-o", str(made)]
        subprocess.run(link, check=True, capture_output=True, text=True)
        # A process may be using the old file: put the new one in its place, do not write into it.
        beside = library.with_suffix(".new")
        shutil.copyfile(made, beside)
        os.replace(beside, library)


class NativeKernel(BuildHookInterface):
    """Hatchling's hook; never lets an installation fail."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """The headers of the foreign-function interface, if there is something to compile."""
        return ["jaxlib>=0.10"] if compiler() else []

    def initialize(self, version: str, build_data: dict) -> None:
        """Compile before the files are collected."""
        root = Path(self.root)
        if self.target_name != "wheel":
            return
        (root / LIBRARY).unlink(missing_ok=True)  # one of other sources would be worse than none
        if compiler() is None:
            return
        try:
            compile_kernel(root, root / LIBRARY)
        except Exception as error:  # whatever goes wrong here, Downslope works without it
            self.app.display_warning(f"The native kernel was not built: {error}")
            return
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
