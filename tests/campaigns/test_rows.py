"""The campaign at a small size: no row is lost, and files are both read and refused."""

import pytest

from tests.campaigns.rows import drawn, outcome


@pytest.mark.campaign
def test_rows_add_up_in_200_spoilt_files():
    found = [outcome(drawn(number)) for number in range(200)]
    assert set(found) == {"read", "refused"}
    assert found.count("read") > 60
