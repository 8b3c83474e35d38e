"""The folder in which compiled programs wait for the next process that needs them.

What is compiled for one processor may crash another, so each kind has a folder of its own: a home
that several machines share stays safe. A cache may always be missing: nothing here ever fails.

A compiled program is code: whoever can change what lies here runs what he likes. So the folder has
to be the user's own and to be writable by nobody else, all the way down from the root; and each
entry begins with a checksum of its name and content, keyed by a secret that lies elsewhere. An
entry that was planted before, exchanged for another or spoilt costs its compilation, and never
runs.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import platform
import secrets
import shutil
import stat
import tempfile
from pathlib import Path

import platformdirs

SETTING = "DOWNSLOPE_CACHE"  # "off", or a folder; the user's cache folder if it is not set
MOST_BYTES = 1 << 30
KEY_BYTES, MARK_BYTES = 32, 32
ENDING = ".program"
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
        for one in (root, root / "programs", folder):
            _make_own(one)
        if not is_own(folder):
            return None
        with tempfile.TemporaryFile(dir=folder):  # as some disks refuse only now
            pass
        if shutil.disk_usage(folder).free < LEAST_FREE:
            return None
        trim(root / "programs", MOST_BYTES)
    except (OSError, ValueError, RuntimeError):  # no home, no permission, no such path
        return None
    return folder


def _make_own(folder: Path) -> None:
    """Create a folder that nobody else may write into; one that is there is left as it is."""
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)


def is_own(path: Path) -> bool:
    """Whether nobody else can change or exchange what is at a path: all the way from the root.

    Each part has to belong to the user or to the system's administrator, and to be writable by
    no other; but into a folder with the sticky bit, as /tmp is, others may put files of theirs.
    """
    if not hasattr(os, "getuid"):  # not on Windows, whose folders of users are their own
        return True
    real = Path(os.path.realpath(path))
    for part in (real, *real.parents):
        state = os.lstat(part)
        is_shared = state.st_mode & 0o022 and not (
            part != real and state.st_mode & stat.S_ISVTX and state.st_uid == 0
        )
        if is_shared or state.st_uid not in (0, os.getuid()) or stat.S_ISLNK(state.st_mode):
            return False
    return os.lstat(real).st_uid == os.getuid()


def secret() -> bytes | None:
    """The key of the checksums, made when it is first asked for; None where it cannot be kept."""
    try:
        folder = platformdirs.user_data_path("downslope")
        _make_own(folder)
        path = folder / "cache-key"
        if not path.exists():
            with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:  # nobody reads it
                file.write(secrets.token_bytes(KEY_BYTES))
            with contextlib.suppress(FileExistsError):  # another process was faster
                os.link(file.name, path)
            os.unlink(file.name)
        key = path.read_bytes()
        usable = (is_own(path) and os.stat(path).st_mode & 0o077 == 0) or not hasattr(os, "getuid")
    except (OSError, ValueError, RuntimeError):
        return None
    return key if usable and len(key) == KEY_BYTES else None


class Sealed:
    """Entries of a folder, each behind a keyed checksum of its name and content.

    Args:
        folder: The folder.
        key: The secret of the checksums.
    """

    def __init__(self, folder: Path, key: bytes) -> None:
        self._path = folder  # as JAX, which is given this as its cache, calls it
        self._key = key

    def get(self, name: str) -> bytes | None:
        """The content of an entry as it was put; None where there is none, or another."""
        try:
            path = self._file(name)
            if not stat.S_ISREG(os.lstat(path).st_mode) or os.stat(path).st_size > MOST_BYTES:
                return None
            sealed = path.read_bytes()
        except (OSError, ValueError, MemoryError):
            return None
        content = sealed[MARK_BYTES:]
        return (
            content if hmac.compare_digest(sealed[:MARK_BYTES], self._mark(name, content)) else None
        )

    def put(self, name: str, content: bytes) -> None:
        """Write an entry, whole or not at all.

        Raises:
            OSError: The disk refuses.
        """
        with tempfile.NamedTemporaryFile(dir=self._path, delete=False) as file:
            try:
                file.write(self._mark(name, content) + content)
                file.close()
                os.replace(file.name, self._file(name))
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(file.name)
                raise

    def _file(self, name: str) -> Path:
        if os.path.basename(name) != name:
            raise ValueError(name)
        return self._path / f"{name}{ENDING}"

    def _mark(self, name: str, content: bytes) -> bytes:
        return hmac.digest(self._key, name.encode() + b"\0" + content, "sha256")


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
