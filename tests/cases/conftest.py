"""Small inputs on which Downslope once did wrong; they lie beside the checkout, in shared/cases.

They are for development alone: where the folder is missing, these tests are skipped, but never in
CI, which has it.
"""

import os
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "shared" / "cases"


@pytest.fixture
def cases() -> Path:
    """The folder of cases, with `tables/` and `training/` in it."""
    if not FOLDER.is_dir():
        assert not os.environ.get("CI"), f"CI has to have the cases: {FOLDER}"
        pytest.skip("shared/cases is not beside this checkout")
    return FOLDER
