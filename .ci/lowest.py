"""Prints the lowest version that pyproject.toml allows of each dependency, as pip's constraints."""

import re
import tomllib
from pathlib import Path

PROJECT = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
for dependency in PROJECT["dependencies"]:
    found = re.fullmatch(r"([\w-]+)>=([\d.]+),<[\d.]+", dependency)
    assert found, f"{dependency}: it needs a lowest version and a bound above"
    print(f"{found[1]}=={found[2]}")
