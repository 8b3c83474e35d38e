"""The table of what the lab's page costs."""

import json

from benchmarks.lab import table


def test_speeds_are_told_beside_none_and_memory_by_minutes(tmp_path):
    lines = [{"what": what, "seconds": one} for what in ("first movement", "after a drop")
             for one in (0.1, 0.5, 0.2)]  # fmt: skip
    lines += [{"what": "frames", "drawn_a_second": one} for one in (20.0, 40.0, 30.4)]
    pages = {"none": 1.0, "none again": 2.0, "visible": 2.0, "hidden": 1.5, "stalled": 1.6}
    lines += [{"what": "training", "page": name, "processor_seconds": seconds}
              for name, seconds in pages.items()]  # fmt: skip
    lines += [{"what": "soak", "minute": minute, "server_mib": 40 + minute, "worker_mib": 300}
              for minute in range(6)]  # fmt: skip
    out = tmp_path / "lab.jsonl"
    out.write_text("\n".join(map(json.dumps, lines)))
    told = table(out)
    assert told.count("| 0.20 |") == 2
    assert "| frames a second while digits trains | 30 |" in told
    for kind, share in (("visible", 75), ("hidden", 100), ("stalled", 94)):
        assert f"a page that is {kind} | {share} % |" in told
    assert "| 4 | 44 | 300 |" in told
    assert "| 3 |" not in told
