"""A file changes hands: from the application to the loop, or to nobody (P45, S6)."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from aiowsgi.bridge.writer import Progress
from aiowsgi.errors import ClientDisconnected
from aiowsgi.wsgi.filewrapper import FileRegion
from tests.bridge.test_writer import HEAD, Made, head
from tests.descriptors import LISTED, held, more_than


@pytest.fixture
def region(tmp_path: Path) -> Iterator[FileRegion]:
    (tmp_path / "file").write_bytes(b"..1234567890..")
    with (tmp_path / "file").open("rb") as file:
        yield FileRegion(file.fileno(), 2, 10)


def test_a_file_is_handed_over_after_its_head_under_a_descriptor_of_its_own(
    region: FileRegion,
) -> None:
    """P45: the application closes its own."""
    made = Made()
    assert made.writer.file(head(), region)
    assert (made.kernel.sent, made.wakes) == (HEAD, 1)
    assert not made.writer.sent
    taken = made.writer.take(100)
    assert taken.file is not None
    assert taken.file.fileno != region.fileno
    assert os.pread(taken.file.fileno, taken.file.length, taken.file.offset) == b"1234567890"
    os.close(taken.file.fileno)
    assert made.take_all() is Progress.COMPLETE
    assert made.writer.body_bytes == 10


def test_a_file_for_a_client_that_left_is_not_kept(region: FileRegion) -> None:
    """S6."""
    made = Made()
    made.writer.abandon()
    with pytest.raises(ClientDisconnected):
        made.writer.file(head(), region)
    assert made.writer.take(100).file is None


@pytest.mark.skipif(not LISTED, reason="descriptors are not listed here")
def test_a_client_that_leaves_while_a_file_is_handed_over_leaves_no_descriptor(
    tmp_path: Path,
) -> None:
    """S6: either side closes the copy, whoever comes first."""
    (tmp_path / "file").write_bytes(b"1234567890")
    with (tmp_path / "file").open("rb") as file:
        before = held()
        for turn in range(300):
            made = Made(direct=turn % 2 == 0)
            ready = threading.Barrier(2)

            def leave(made: Made = made, ready: threading.Barrier = ready) -> None:
                ready.wait(10)
                made.writer.abandon()

            thread = threading.Thread(target=leave)
            thread.start()
            ready.wait(10)
            try:
                made.writer.file(head(), FileRegion(file.fileno(), 0, 10))
            except ClientDisconnected:
                pass
            thread.join(10)
            assert more_than(before) == 0
