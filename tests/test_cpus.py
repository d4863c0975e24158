"""cpus.py: how many CPUs this process may use."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiowsgi.cpus import usable_cpus


@pytest.mark.parametrize(
    ("quota", "most"), [("100000 100000", 1), ("50000 100000", 1), ("max 100000", None)]
)
def test_usable_cpus_are_those_of_the_container(
    tmp_path: Path, quota: str, most: int | None
) -> None:
    file = tmp_path / "cpu.max"
    everything = usable_cpus(file)  # absent: no quota
    file.write_text(quota)
    assert usable_cpus(file) == (most or everything)
