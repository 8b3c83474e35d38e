"""The folder in which compiled programs wait for the next process that needs them.

What is compiled for one processor may crash another, so each kind has a folder of its own: a home
that several machines share stays safe. A cache may always be missing: nothing here ever fails.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import shutil
import tempfile
from pathlib import Path

import platformdirs

SETTING = "DOWNSLOPE_CACHE"  # "off", or a folder; the user's cache folder if it is not set
MOST_BYTES = 1 << 30
LEAST_FREE = 1 << 28  # bytes that have to be free on the disk
KEPT_SHARE = 0.75  # of MOST_BYTES, when old programs are removed


def cache_folder() -> Path | None:
    """The folder for programs compiled on this kind of machine, or None where there is none.

    Programs that were written longest ago are removed where there are too many.
    """
    setting = os.environ.get(SETTING, "").strip()
    if setting.lower() == "off":
        return None
    try:
        root = (
            Path(setting).expanduser() if setting else platformdirs.user_cache_path("downslope")
        ).absolute()
        folder = root / "programs" / machine()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # whoever may write here runs code
        with tempfile.TemporaryFile(dir=folder):  # as some disks refuse only now
            pass
        if shutil.disk_usage(folder).free < LEAST_FREE:
            return None
        trim(root / "programs", MOST_BYTES)
    except (OSError, ValueError, RuntimeError):  # no home, no permission, no such path
        return None
    return folder


def trim(folder: Path, most: int) -> None:
    """Remove the oldest files below `folder` if together they hold more than `most` bytes."""
    files = []
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):  # another process was faster
            state = path.stat()
            if path.is_file():
                files.append((state.st_mtime, state.st_size, path))
    total = sum(size for _, size, _ in files)
    if total <= most:
        return
    for _, size, path in sorted(files):
        with contextlib.suppress(OSError):
            path.unlink()
        total -= size
        if total <= KEPT_SHARE * most:
            return


def machine() -> str:
    """A short name for this kind of processor: the same name, the same instructions."""
    traits = [platform.system(), platform.machine(), platform.processor()]
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        wanted = ("model name", "flags", "Features", "CPU part")
        traits += sorted({line for line in lines if line.startswith(wanted)})
    return hashlib.sha256("\n".join(traits).encode()).hexdigest()[:16]
