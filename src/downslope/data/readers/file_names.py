"""What a file's name says that it is, found out without any library."""

from __future__ import annotations

from pathlib import Path

from downslope.data.readers.formats import format_of

TEXT = (".csv", ".tsv", ".tab", ".txt", ".data", ".dat")
IMAGES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff",
    ".avif", ".ppm", ".pgm", ".pbm", ".pnm",
)  # fmt: skip
ARRAYS = ".npz"
HEADS = ("heads.csv", "heads.json")
_SELDOM_TABLES = (".txt", ".data", ".dat")  # among images, more often notes than a table


def ending(path: Path) -> str:
    """The ending of a file's name in small letters; that below `.gz` where it is packed."""
    suffix = path.suffix.lower()
    return Path(path.stem).suffix.lower() if suffix == ".gz" else suffix


def is_table_file(path: Path) -> bool:
    """Whether a file's name says that it is a table."""
    suffix = ending(path)
    return suffix in TEXT or format_of(suffix) is not None


def is_image(path: Path) -> bool:
    """Whether a file's name is that of a visible image."""
    return path.suffix.lower() in IMAGES and not path.name.startswith(".")


def is_text(path: Path) -> bool:
    """Whether a path can be written down: Linux takes bytes as names that are no letters."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def is_there(path: Path) -> bool:
    """Whether there is such a file; a name that no file can have is answered, too."""
    try:
        return path.is_file()
    except OSError:  # a name that is too long, or links in a circle
        return False


def tables_in(folder: Path) -> list[Path]:
    """The visible tables that lie directly in a folder, by name; notes in text are none."""
    return sorted(
        path
        for path in folder.iterdir()
        if is_table_file(path)
        and ending(path) not in _SELDOM_TABLES
        and not path.name.startswith(".")
        and path.is_file()
    )


def holds_heads(folder: Path) -> bool:
    """Whether a folder, or its sub-folder `train`, has a file of head positions."""
    return any((at / name).is_file() for at in (folder, folder / "train") for name in HEADS)


def leads_out(path: str) -> bool:
    """Whether a path that a file names leads out of that file's folder: lists may be strangers'."""
    depth, lowest = 0, 0
    parts = path.replace("\\", "/").split("/")
    for part in parts:
        depth += {"..": -1, ".": 0, "": 0}.get(part, 1)
        lowest = min(lowest, depth)
    return lowest < 0 or not parts[0] or path[1:2] == ":"
