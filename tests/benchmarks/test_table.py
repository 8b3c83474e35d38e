import pytest

from benchmarks import results, table
from benchmarks.pictures import draw
from benchmarks.publish import BEGIN, END, publish, replaced
from tests.benchmarks.contests import contest, report, row

OURS = row("ours", "ours", 0.001, 0.002, 0.003, peak=100.0, loss=0.5)
PEER = row("torch", "peer", 0.004, 0.004, 0.006, peak=200.0, loss=0.51)
ABSENT = row("keras", "jax", absent="keras is not installed")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (3.61e-5, "36.1 µs"),
        (9.996e-4, "1.00 ms"),
        (0.01234, "12.3 ms"),
        (0.9996, "1.00 s"),
        (23.0, "23.0 s"),
        (1234.0, "1234 s"),
    ],
)
def test_times_have_three_digits(seconds, words):
    assert table.time(seconds) == words


def test_the_summary_sets_ours_beside_the_best_of_each_kind():
    lines = table.summary(report(contest(OURS, PEER, ABSENT))).splitlines()
    assert lines[2] == "| mnist | a title | 200 µs / step | Torch, 400 µs | **2.00×** | – | – |"


def test_two_ways_of_ours_have_a_row_each():
    other = row("Downslope, pure", "ours", 1.0, 1.0, 1.0)
    both = contest(OURS, other, PEER)
    assert [table.name_of(both, one) for one in (OURS, other)] == ["mnist: Ours", "mnist: pure"]


def test_every_contender_has_a_row_and_who_is_absent_a_reason():
    lines = table.detail(contest(OURS, PEER, ABSENT)).splitlines()
    peer = "| Torch | 400 µs | 400 µs – 600 µs | 2.00× | 200 | 0.0 | 9.0 | 0.51 |"
    assert lines[5] == peer
    assert lines[6] == "| Keras | keras is not installed | – | – | – | – | – | – |"


def test_the_page_names_the_machine_the_memory_and_what_the_smallest_size_is_worth():
    page = table.page(report(contest(OURS, PEER), is_smallest=True))
    assert "Some CPU, 2 cores, avx2, 8.0 GiB, Linux, Python 3.11.7; jax 0.10.2." in page
    assert "Convolutions: native kernel, AVX2." in page
    assert "| Torch | 200 MiB |" in page
    assert "the times mean nothing" in page


def test_the_share_of_the_best_rate_is_told():
    best = row("matmul", "ceiling", 1.0, 1.0, 1.0, figures={"rate": (2e9, 2e9, 2e9)})
    told = table.ceiling(report(contest(OURS, best, name="wide", operations=2e6)))
    assert told.endswith("(highest, GFLOP/s: Matmul 2): Ours 50 %.")


def test_without_ours_there_is_still_a_page():
    without = contest(row("ours", "ours", absent="it failed"), PEER)
    assert "it failed" in table.page(report(without))
    assert table.one_line(without) == "Downslope did not take part"


def test_a_report_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "results.json"
    written = report(contest(OURS, PEER, ABSENT))
    results.write(written, path)
    assert results.read(path) == written
    path.write_text("{}")
    with pytest.raises(SystemExit, match=r"results.json is no report of this suite: "):
        results.read(path)


def test_pictures_are_drawn(tmp_path):
    draw(report(contest(OURS, PEER, ABSENT)), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"ratios.png", "memory.png"}


def test_the_readme_gets_the_table_between_its_marks(tmp_path):
    page = tmp_path / "README.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    results.write(report(contest(OURS, PEER)), tmp_path / "results.json")
    publish(tmp_path, page)
    text = page.read_text()
    assert text.startswith(f"before\n{BEGIN}\n2026-01-01")
    assert text.endswith(f"\n{END}\nafter\n")
    assert "old" not in text


def test_what_cannot_be_published_says_why(tmp_path):
    with pytest.raises(SystemExit, match="put them back"):
        replaced("no marks", "table")
    results.write(report(contest(OURS), is_smallest=True), tmp_path / "results.json")
    with pytest.raises(SystemExit, match="smallest size"):
        publish(tmp_path, tmp_path / "README.md")
