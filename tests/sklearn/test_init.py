"""The door itself: only where scikit-learn is, and only when it is opened."""

import subprocess
import sys

import pytest


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_downslope_alone_does_not_import_it():
    code = "import sys, downslope; downslope.train; print('sklearn' in sys.modules)"
    assert python(code) == "False\n"


def test_without_scikit_learn_the_way_to_it_is_told():
    code = """
import sys
sys.modules["sklearn"] = None  # as if it were not installed
try:
    import downslope.sklearn
except ImportError as error:
    print(error)
"""
    assert python(code) == (
        "scikit-learn is not installed. Expected version 1.6 or newer for downslope.sklearn. "
        "Install it with: pip install scikit-learn\n"
    )


@pytest.mark.peers
def test_what_is_exported_is_documented():
    pytest.importorskip("sklearn")
    import downslope.sklearn as door

    for name in door.__all__:
        kind = getattr(door, name)
        text = kind.__doc__
        assert [one for one in kind().get_params() if f"        {one}: " not in text] == []
