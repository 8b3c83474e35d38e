from pathlib import Path


def test_every_case_is_run_by_a_test(cases):
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("*.py"))
    files = [*cases.glob("tables/*"), *cases.glob("training/*")]
    assert files
    assert [path.name for path in files if path.name not in tests] == []
