"""`downslope report`: what it writes and says."""

import json

from tests.cli.conftest import documented


def test_the_report_of_a_run(call, own_run):
    result = call("report", own_run, "--figures")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[:2] == [f"Report: {own_run}/report.html", f"Pictures: {own_run}/pictures"]
    assert (own_run / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    for name in ("loss.png", "loss.svg", "confusion.svg"):
        assert f"  {name}" in lines and (own_run / "pictures" / name).is_file()
    assert lines[-1].startswith("You have seen the test score")


def test_json_another_place_and_a_closed_test_part(call, own_run, tmp_path):
    words = ("report", own_run, "--out", "new/a.html", "--no-test", "--json")
    first = json.loads(call(*words).stdout)
    assert first == json.loads(call(*words).stdout)
    assert set(first) == documented("report")
    assert (first["report"], first["figures"]) == ("new/a.html", [])
    assert (tmp_path / "new" / "a.html").is_file()


def test_no_run(refused, tmp_path):
    assert refused("report", "nothing").startswith(f"{tmp_path}/nothing does not exist.")
