"""What the suite ran on: processor, memory, system, versions, commit."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = (
    "downslope", "jax", "jaxlib", "optax", "numpy", "torch", "scikit-learn", "keras", "flax",
)  # fmt: skip
VECTORS = ("avx2", "fma", "avx512f", "avx512_bf16", "amx_tile")  # those that change speed


@dataclass(frozen=True)
class Machine:
    """One machine.

    Attributes:
        processor: Its name.
        vectors: Which wide instructions it has.
        cores: How many this process may use.
        memory: In GiB.
        system: Operating system.
        python: Version.
        convolutions: Which path Downslope's take here.
    """

    processor: str
    vectors: tuple[str, ...]
    cores: int
    memory: float
    system: str
    python: str
    convolutions: str


def here() -> Machine:
    """The machine that this runs on."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        cores = os.cpu_count() or 1
    facts = _processor_facts()
    flags = facts.get("flags", "").split()
    return Machine(
        processor=facts.get("model name") or platform.processor() or platform.machine(),
        vectors=tuple(name for name in VECTORS if name in flags),
        cores=cores,
        memory=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        convolutions=_convolutions(),
    )


def _convolutions() -> str:
    """What `downslope --version` says of them: without the kernel, both paths are the same."""
    said = _output(str(Path(sys.executable).with_name("downslope")), "--version")
    return said.partition("convolutions: ")[2].strip() or "unknown"


def _processor_facts() -> dict[str, str]:
    """The first processor's entry in Linux's own list; nothing elsewhere."""
    try:
        first = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("\n\n")[0]
    except OSError:
        return {}
    pairs = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def versions() -> dict[str, str]:
    """The version of each package; "not installed" where it is not."""

    def of(package: str) -> str:
        try:
            return version(package)
        except PackageNotFoundError:
            return "not installed"

    return {package: of(package) for package in PACKAGES}


def commit(root: Path) -> str:
    """The commit that the files at `root` are, with a plus sign where they differ from it."""
    git = ("git", "-C", str(root))
    changed = "+" if _output(*git, "status", "--porcelain", "--", "src") else ""
    return (_output(*git, "rev-parse", "--short=10", "HEAD").strip() or "unknown") + changed


def _output(*command: str) -> str:
    """What a command prints; nothing if there is none, or it fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""
