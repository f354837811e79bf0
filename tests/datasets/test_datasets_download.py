"""Downloads: resume, mirrors, refused bytes, and what is left on disk after each."""

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fault_server import FaultServer, Reply

from ebnn.datasets.download import ATTEMPTS, Remote, fetch, obtain
from ebnn.errors import DatasetError

GOOD = bytes(range(256)) * 1000  # 256,000 bytes: four blocks of the receiver
REMEDY = "put it there by hand"


def read(path: Path) -> str:
    if path.read_bytes() != GOOD:
        raise DatasetError(f"{path} is damaged")
    return "accepted"


def remote(*urls: str) -> Remote:
    return Remote(urls, max_bytes=len(GOOD), remedy=REMEDY, timeout=5)


def dead_url() -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}/file"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "file"


def part_of(target: Path) -> Path:
    return target.with_name("file.part")


def test_a_whole_file_arrives_with_progress(server: FaultServer, target: Path) -> None:
    url = server.serve("file", Reply(GOOD))
    calls: list[tuple[str, int, int | None]] = []
    assert fetch(target, read, remote(url), lambda *call: calls.append(call)) == "accepted"
    assert target.read_bytes() == GOOD
    assert not part_of(target).exists()
    assert calls[0] == ("file", 0, len(GOOD))
    assert calls[-1] == ("file", len(GOOD), len(GOOD))
    assert [done for _, done, _ in calls] == sorted(done for _, done, _ in calls)


def test_a_file_of_unannounced_length_arrives(server: FaultServer, target: Path) -> None:
    url = server.serve("file", Reply(GOOD, announce=False))
    totals = set()
    assert fetch(target, read, remote(url), lambda name, done, total: totals.add(total)) == "accepted"
    assert totals == {None}


def test_an_earlier_part_is_resumed(server: FaultServer, target: Path) -> None:
    part_of(target).write_bytes(GOOD[:1000])
    url = server.serve("file", Reply(GOOD))
    starts: list[int] = []
    assert fetch(target, read, remote(url), lambda name, done, total: starts.append(done)) == "accepted"
    assert server.requests == [("file", "bytes=1000-")]
    assert starts[0] == 1000
    assert target.read_bytes() == GOOD


def test_a_lost_connection_is_resumed_at_the_same_mirror(server: FaultServer, target: Path) -> None:
    url = server.serve("file", Reply(GOOD, cut=100), Reply(GOOD, cut=50), Reply(GOOD))
    assert fetch(target, read, remote(url)) == "accepted"
    assert server.requests == [("file", None), ("file", "bytes=100-"), ("file", "bytes=150-")]


def test_a_server_without_ranges_starts_over(server: FaultServer, target: Path) -> None:
    part_of(target).write_bytes(GOOD[:1000])
    url = server.serve("file", Reply(GOOD, ranges=False))
    assert fetch(target, read, remote(url)) == "accepted"
    assert target.read_bytes() == GOOD


def test_a_complete_part_needs_no_bytes(server: FaultServer, target: Path) -> None:
    part_of(target).write_bytes(GOOD)
    url = server.serve("file", Reply(GOOD))
    assert fetch(target, read, remote(url)) == "accepted"
    assert server.requests == [("file", f"bytes={len(GOOD)}-")]


def test_a_part_with_bad_bytes_is_dropped_and_the_mirror_asked_again(server: FaultServer, target: Path) -> None:
    part_of(target).write_bytes(b"\xff" * 1000)
    url = server.serve("file", Reply(GOOD))
    assert fetch(target, read, remote(url)) == "accepted"
    assert server.requests == [("file", "bytes=1000-"), ("file", None)]
    assert target.read_bytes() == GOOD


def test_a_part_longer_than_the_file_is_dropped(server: FaultServer, target: Path) -> None:
    part_of(target).write_bytes(GOOD + b"more")
    url = server.serve("file", Reply(GOOD))
    assert fetch(target, read, remote(url)) == "accepted"
    assert target.read_bytes() == GOOD


def test_a_range_from_elsewhere_is_not_joined(server: FaultServer, target: Path) -> None:
    part_of(target).write_bytes(GOOD[:1000])
    url = server.serve("file", Reply(GOOD, shift=256))
    assert fetch(target, read, remote(url)) == "accepted"
    assert server.requests == [("file", "bytes=1000-"), ("file", None)]


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        (Reply(status=404), "HTTP 404"),
        (Reply(status=500), "HTTP 500"),
        (Reply(status=204), "HTTP 204"),
        (Reply(GOOD, cut=0), "connection lost"),
        (Reply(GOOD[:-1] + b"\0"), "is damaged"),
        (Reply(b"<html>log in</html>"), "is damaged"),
        (Reply(GOOD + b"more"), "more than 256,000 bytes"),
    ],
)
def test_a_bad_mirror_gives_way_to_the_next(server: FaultServer, target: Path, bad: Reply, fault: str) -> None:
    first, second = server.serve("bad", bad), server.serve("good", Reply(GOOD))
    assert fetch(target, read, remote(first, second)) == "accepted"
    assert target.read_bytes() == GOOD
    assert {path for path, _ in server.requests} == {"bad", "good"}
    target.unlink()
    with pytest.raises(DatasetError, match=fault):
        fetch(target, read, remote(first))
    assert not target.exists()


def test_a_dead_mirror_gives_way_to_the_next(server: FaultServer, target: Path) -> None:
    assert fetch(target, read, remote(dead_url(), server.serve("good", Reply(GOOD)))) == "accepted"


def test_a_silent_mirror_gives_way_to_the_next(server: FaultServer, target: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        silent = f"http://127.0.0.1:{listener.getsockname()[1]}/file"
        sources = Remote((silent, server.serve("good", Reply(GOOD))), len(GOOD), REMEDY, timeout=0.2)
        assert fetch(target, read, sources) == "accepted"


def test_a_second_mirror_goes_on_where_the_first_stopped(server: FaultServer, target: Path) -> None:
    first = server.serve("first", Reply(GOOD, cut=700), Reply(status=503))
    second = server.serve("second", Reply(GOOD))
    assert fetch(target, read, remote(first, second)) == "accepted"
    assert server.requests == [("first", None), ("first", "bytes=700-"), ("second", "bytes=700-")]


def test_all_mirrors_dead_names_each_and_says_what_to_do(server: FaultServer, target: Path) -> None:
    dead = dead_url()
    with pytest.raises(DatasetError) as caught:
        fetch(target, read, remote(dead, server.serve("gone", Reply(status=404))))
    message = str(caught.value)
    assert message.startswith("file could not be downloaded: ")
    assert dead.split("/")[2] in message
    assert "refused" in message
    assert f"{server.url.split('/')[2]}: HTTP 404" in message
    assert message.endswith(f"Check the network connection and try again, or {REMEDY}")
    assert not target.exists()


def test_a_mirror_that_drips_is_left_after_some_attempts(server: FaultServer, target: Path) -> None:
    url = server.serve("drip", Reply(GOOD, cut=10))
    with pytest.raises(DatasetError, match=r"\(40 bytes are kept, the next try goes on from there\)"):
        fetch(target, read, remote(url))
    assert len(server.requests) == ATTEMPTS
    assert part_of(target).read_bytes() == GOOD[:40]


def test_refused_bytes_leave_nothing_behind(server: FaultServer, target: Path) -> None:
    with pytest.raises(DatasetError):
        fetch(target, read, remote(server.serve("bad", Reply(b"bad"))))
    assert not target.exists()
    assert not part_of(target).exists()


def test_obtain_reads_what_is_there_without_the_network(target: Path) -> None:
    target.write_bytes(GOOD)
    assert obtain(target, read, remote(), download=False) == "accepted"
    assert list(target.parent.iterdir()) == [target]


def test_obtain_without_download_says_what_is_missing(target: Path) -> None:
    with pytest.raises(DatasetError, match=f"{target} is missing in the cache and downloading is off"):
        obtain(target, read, remote(), download=False)
    target.write_bytes(b"bad")
    with pytest.raises(DatasetError, match=f"{target} is damaged: allow the download"):
        obtain(target, read, remote(), download=False)
    assert target.read_bytes() == b"bad"


def test_two_that_want_the_same_file_bring_it_once(server: FaultServer, target: Path) -> None:
    sources = remote(server.serve("file", Reply(GOOD)))
    with ThreadPoolExecutor(4) as pool:
        results = [pool.submit(obtain, target, read, sources, download=True) for _ in range(4)]
    assert [result.result() for result in results] == ["accepted"] * 4
    assert len(server.requests) == 1


def test_obtain_names_a_damaged_file_and_replaces_it(server: FaultServer, target: Path) -> None:
    target.write_bytes(b"bad")
    with pytest.warns(UserWarning, match=f"{target} is damaged; downloading it again"):
        assert obtain(target, read, remote(server.serve("file", Reply(GOOD))), download=True) == "accepted"
    assert target.read_bytes() == GOOD


def test_a_damaged_file_stays_where_no_mirror_helps(target: Path) -> None:
    target.write_bytes(b"bad")
    with (
        pytest.warns(UserWarning, match=f"{target} is damaged"),
        pytest.raises(DatasetError, match="file could not be downloaded"),
    ):
        obtain(target, read, remote(dead_url()), download=True)
    assert target.read_bytes() == b"bad"


def test_a_folder_that_cannot_be_made_is_named(server: FaultServer, tmp_path: Path) -> None:
    (tmp_path / "occupied").write_text("a file")
    target = tmp_path / "occupied" / "file"
    with pytest.raises(DatasetError, match=r"occupied cannot be written .*set EBNN_CACHE"):
        obtain(target, read, remote(server.serve("file", Reply(GOOD))), download=True)


def test_a_part_that_cannot_be_written_ends_the_download(server: FaultServer, target: Path) -> None:
    target.mkdir()
    (target / "occupied").touch()
    with pytest.raises(DatasetError, match=r"file cannot be written .*set EBNN_CACHE"):
        fetch(target, read, remote(server.serve("file", Reply(GOOD)), server.serve("second", Reply(GOOD))))
    assert {path for path, _ in server.requests} == {"file"}
