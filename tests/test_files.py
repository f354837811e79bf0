"""The .ebnn file: it comes back equal or not at all."""

import errno
import io
import json
import os
import re
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.degenerate import DEGENERATE
from support.parts import block_of, net_of
from support.random_networks import random_network
from test_network import float_network, only_scores, scores, three_layers, tiny

import ebnn
from ebnn import load
from ebnn.atomic import write_atomically
from ebnn.errors import EbnnError, FileFormatError, WriteError
from ebnn.model.kinds import Input
from ebnn.model.layers import Dense
from ebnn.model.meta import Meta
from ebnn.model.transforms import Sign

NETWORKS = {
    "bits": only_scores("bits"),
    "uint8": three_layers(),
    "int8": tiny(),
    "float": float_network(),
    "no normalisation": DEGENERATE["pool on one pixel"][0],
}


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_members(path, contents):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in contents.items():
            archive.writestr(name, data)


def array_bytes(array):
    data = io.BytesIO()
    np.save(data, array)
    return data.getvalue()


def description_of(path):
    with np.load(path, allow_pickle=False) as arrays:
        return json.loads(arrays["description.json"].tobytes())


def with_description(contents, description):
    raw = np.frombuffer(json.dumps(description).encode(), np.uint8)
    return {**contents, "description.json.npy": array_bytes(raw)}


@pytest.fixture
def saved(tmp_path):
    """tiny() in a file."""
    path = tmp_path / "tiny.ebnn"
    tiny().save(path)
    return path


# Round trip


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_network_comes_back_equal(kind, tmp_path):
    """SPEC 8.1, 8.2: by hash, by content and by what it predicts; a path may be a string."""
    network, path = NETWORKS[kind], tmp_path / "a.ebnn"
    network.save(str(path))
    for loaded in (ebnn.load(path), ebnn.load(str(path))):
        assert loaded.hash == network.hash
        x = np.zeros((2, *network.input.shape), np.float32 if kind == "float" else np.uint8)
        np.testing.assert_array_equal(loaded.scores(x), network.scores(x))
        assert loaded.describe()[0] == network.describe()[0]
        for name, array in network.describe()[1].items():
            np.testing.assert_array_equal(loaded.describe()[1][name], array)


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False), st.booleans())
def test_random_networks_come_back_equal(tmp_path_factory, choose, normalized):
    """SPEC 8.1: every kind, geometry, threshold and direction."""
    network = random_network(choose, normalized)
    path = tmp_path_factory.getbasetemp() / "random.ebnn"
    network.save(path)
    assert ebnn.load(path).hash == network.hash


def test_it_is_a_plain_npz_without_pickles(saved):
    """SPEC 8.1: NumPy itself opens it with allow_pickle=False; one array for each set of values."""
    with np.load(saved, allow_pickle=False) as arrays:
        assert sorted(arrays.files) == sorted(
            ["description.json", *(f"block0.{name}" for name in "weights threshold below".split())]
            + [f"block0.{name}" for name in "bias mean inv_std gamma beta".split()]
            + [f"output.{name}" for name in "weights multiplier offset".split()]
        )
        description = json.loads(arrays["description.json"].tobytes())
        assert arrays["block0.weights"].tolist() == [0b1001]
        assert arrays["block0.threshold"].tolist() == [1, -2]
        assert arrays["block0.threshold"].dtype == np.int32
        assert arrays["output.multiplier"].dtype == np.int16
    assert description["format"] == "ebnn network"
    assert description["version"] == 1
    assert description["hash"] == tiny().hash


def test_the_same_network_gives_the_same_bytes(tmp_path, monkeypatch):
    """SPEC 8.2: no time, no path, no order of a dictionary."""
    tiny().save(tmp_path / "a.ebnn")
    monkeypatch.setattr("time.time", lambda: 2e9)
    monkeypatch.setattr("time.localtime", lambda *_: (2033, 5, 18, 3, 33, 20, 2, 138, 0))
    tiny().save(tmp_path / "another name.ebnn")
    assert (tmp_path / "a.ebnn").read_bytes() == (tmp_path / "another name.ebnn").read_bytes()


def test_the_hash_survives_another_process(saved):
    """SPEC 8.2: neither the seed of Python's own hashes nor a global random state plays a part."""
    program = "import sys, ebnn; print(ebnn.load(sys.argv[1]).hash)"
    environment = {**os.environ, "PYTHONHASHSEED": "12345"}
    done = subprocess.run(
        [sys.executable, "-c", program, str(saved)], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == tiny().hash


# Damage


def test_every_truncation_is_refused(saved):
    """SPEC 8.3: one error that names the file, at every length."""
    data = saved.read_bytes()
    path = saved.with_name("cut.ebnn")
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(FileFormatError, match=r"cut\.ebnn"):
            ebnn.load(path)


def loads_equal_or_is_refused(path):
    """Whether the file was refused, with an error that names it; if not, it must be tiny()."""
    try:
        network = ebnn.load(path)
    except FileFormatError as error:
        return path.name in str(error)
    assert network.hash == tiny().hash
    return False


def test_no_flipped_byte_makes_another_network(saved):
    """SPEC 8.3: with any byte changed the file is refused or gives the same network."""
    data = saved.read_bytes()
    path = saved.with_name("flipped.ebnn")
    refused = 0
    for at in range(len(data)):
        flip = (0x01, 0x80, 0xFF)[at % 3]
        path.write_bytes(data[:at] + bytes([data[at] ^ flip]) + data[at + 1 :])
        refused += loads_equal_or_is_refused(path)
    assert refused > len(data) / 3


@pytest.mark.filterwarnings("ignore:Reading")  # NumPy, of the spaces in an array's header
def test_no_flipped_byte_in_an_unpacked_member_makes_another_network(saved):
    """SPEC 8.3: the same inside the members, whose zip checksums are right."""
    contents = members(saved)
    path = saved.with_name("flipped.ebnn")
    refused = 0
    for name, data in contents.items():
        for at in range(len(data)):
            changed = data[:at] + bytes([data[at] ^ (0x01, 0x20)[at % 2]]) + data[at + 1 :]
            write_members(path, {**contents, name: changed})
            refused += loads_equal_or_is_refused(path)
    assert refused > 500


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_noise_is_refused(tmp_path_factory, noise):
    """SPEC 8.3: whatever the bytes are."""
    path = tmp_path_factory.getbasetemp() / "noise.ebnn"
    path.write_bytes(noise)
    with pytest.raises(FileFormatError, match=r"noise\.ebnn"):
        ebnn.load(path)


# Foreign files


def npz(path, **arrays):
    np.savez(path, **arrays)
    return path


def test_a_foreign_npz_is_refused(tmp_path):
    """SPEC 8.3"""
    with pytest.raises(FileFormatError, match=r"a\.npz: is not an \.ebnn file \(it has no description\)"):
        ebnn.load(npz(tmp_path / "a.npz", weights=np.ones(3)))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "{}", '{"format": "another"}', "[" * 100_000, "1" * 10_000, "\ud800"]
)
def test_a_description_that_is_none_is_refused(tmp_path, text):
    """SPEC 8.3"""
    raw = np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)
    with pytest.raises(FileFormatError, match=r"a\.npz: is (damaged or )?not an \.ebnn file|is damaged"):
        ebnn.load(npz(tmp_path / "a.npz", **{"description.json": raw}))


def test_pickles_are_never_read(saved, tmp_path):
    """SPEC 8.1: an object array would run code on load."""

    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "exploded"),)

    contents = members(saved)
    for name in contents:
        data = io.BytesIO()
        np.lib.format.write_array(data, np.array([Bomb()], object), allow_pickle=True)
        write_members(saved, {**contents, name: data.getvalue()})
        with pytest.raises(FileFormatError, match=r"tiny\.ebnn"):
            ebnn.load(saved)
    assert not (tmp_path / "exploded").exists()


def test_a_zip_bomb_is_refused_before_it_unpacks(saved):
    """SPEC 8.3: 65 MiB of zeros in 65 KiB of file."""
    contents = members(saved)
    with zipfile.ZipFile(saved, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**contents, "bomb.npy": bytes(65 * 2**20)}.items():
            archive.writestr(name, data)
    with pytest.raises(FileFormatError, match=r"unpacks to 68,\d{3},\d{3} bytes, 18,413,312 are allowed"):
        ebnn.load(saved)


def test_a_zip_bomb_that_lies_about_its_size_is_refused(saved):
    """SPEC 8.3: the directory states 100 bytes, the member unpacks to 65 MiB."""
    data = bytearray(saved.read_bytes())
    name = b"block0.weights.npy"
    size = struct.pack("<I", 2**32 - 2**20)
    directory = data.index(b"PK\x01\x02")
    while data[directory + 46 :][: len(name)] != name:
        directory = data.index(b"PK\x01\x02", directory + 1)
    data[directory + 24 : directory + 28] = size
    saved.write_bytes(data)
    with pytest.raises(FileFormatError, match="unpacks to"):
        ebnn.load(saved)
    data[directory + 24 : directory + 28] = struct.pack("<I", 100)
    saved.write_bytes(data)
    with pytest.raises(FileFormatError, match=r"tiny\.ebnn"):
        ebnn.load(saved)


def test_an_array_that_claims_a_terabyte_is_refused(saved):
    """SPEC 8.3: the header of the array is believed only as far as its bytes go."""
    contents = members(saved)
    header = contents["block0.weights.npy"].replace(b"(1,), }", b"(1000000000000,), }")
    length = struct.unpack("<H", header[8:10])[0]
    header = header[:10] + header[10:].replace(b" " * 12 + b"\n", b"\n", 1)
    assert len(header) == 10 + length + 1
    write_members(saved, {**contents, "block0.weights.npy": header})
    with pytest.raises(FileFormatError, match=r"tiny\.ebnn"):
        ebnn.load(saved)


@pytest.mark.parametrize("version", [3, 99])
def test_a_newer_version_is_named(saved, version):
    """SPEC 8.3: with both versions and the way out, whatever else the file may hold by then."""
    description = {**description_of(saved), "version": version, "blocks": "another thing"}
    write_members(saved, {**with_description(members(saved), description), "new.npy": array_bytes(np.ones(2))})
    with pytest.raises(
        FileFormatError, match=rf"tiny\.ebnn: has file version {version}, .* reads up to 2: upgrade ebnn"
    ):
        ebnn.load(saved)


@pytest.mark.parametrize("key", ["format", "version", "hash", "input", "blocks", "output"])
def test_a_missing_part_of_the_description_is_refused(saved, key):
    """SPEC 8.3"""
    description = description_of(saved)
    del description[key]
    write_members(saved, with_description(members(saved), description))
    with pytest.raises(FileFormatError, match=r"tiny\.ebnn: is"):
        ebnn.load(saved)


def alter(description, path, value):
    for step in path[:-1]:
        description = description[step]
    description[path[-1]] = value


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("hash",), "0" * 64),
        (("hash",), None),
        (("input",), None),
        (("input", "kind"), "uint8"),
        (("input", "kind"), "words"),
        (("input", "shape"), [1, 5]),
        (("input", "shape"), [1, 1, 7]),
        (("input", "shape"), [1, 1, -5]),
        (("input", "shape"), [1, 1, 10**30]),
        (("input", "shape"), "115"),
        (("blocks",), []),
        (("blocks",), {}),
        (("blocks", 0), None),
        (("blocks", 0, "linear"), "dense"),
        (("blocks", 0, "linear"), "recurrent"),
        (("blocks", 0, "weights"), [2, 1, 1, 2]),
        (("blocks", 0, "weights"), [4]),
        (("blocks", 0, "weights"), []),
        (("blocks", 0, "weights"), [-2, -1, 2, 1]),
        (("blocks", 0, "weights"), [2**32, 2**32, 1, 1]),
        (("blocks", 0, "stride"), [1, 0]),
        (("blocks", 0, "stride"), [1, 2, 3]),
        (("blocks", 0, "stride"), [2, 2]),
        (("blocks", 0, "stride"), 1),
        (("blocks", 0, "pad"), [0, 1.5]),
        (("blocks", 0, "pool"), None),
        (("blocks", 0, "pool"), {"size": [1, 2]}),
        (("blocks", 0, "pool", "stride"), [2, 1]),
        (("blocks", 0, "pool", "pad"), [0, 2]),
        (("output", "scale"), 0.2),
        (("output", "scale"), float("nan")),
        (("output", "scale"), "much"),
        (("output", "scale"), None),
        (("output", "weights"), [2, 1, 8, 1]),
    ],
)
def test_a_tampered_description_is_refused(saved, path, value):
    """SPEC 8.3: no change of a value is let through, nor ends in another exception."""
    description = description_of(saved)
    alter(description, path, value)
    write_members(saved, with_description(members(saved), description))
    with pytest.raises(FileFormatError, match=r"tiny\.ebnn"):
        ebnn.load(saved)


ARRAYS = ["block0.threshold", "block0.below", "block0.bias", "block0.beta", "output.weights", "output.offset"]


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize(
    "array",
    [
        np.zeros(0, np.uint8),
        np.zeros(2, np.uint8),
        np.zeros((1, 2), np.int32),
        np.zeros((), np.int32),
        np.full(2, np.nan),
        np.full(2, 1e300),
        np.array(["a", "b"]),
        np.array([1 + 1j, 0]),
        np.zeros(2, "M8[s]"),
        np.zeros(2, "V0"),
        np.zeros(2, [("a", "i4")]),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_a_tampered_array_is_refused(saved, name, array):
    """SPEC 8.3: of another type, shape or content."""
    write_members(saved, {**members(saved), f"{name}.npy": array_bytes(array)})
    with pytest.raises(FileFormatError, match=r"tiny\.ebnn"):
        ebnn.load(saved)


def test_missing_and_extra_members_are_refused(saved):
    """SPEC 8.3: a file holds what its network needs, and nothing else."""
    contents = members(saved)
    for name in contents:
        write_members(saved, {other: data for other, data in contents.items() if other != name})
        with pytest.raises(FileFormatError, match=r"tiny\.ebnn"):
            ebnn.load(saved)
    extra = array_bytes(np.ones(1))
    for name in ["extra.npy", "block1.weights.npy", "block0.threshold", "readme.txt", "block0.weights.npy/"]:
        write_members(saved, {**contents, name: extra})
        with pytest.raises(FileFormatError, match=r"tiny\.ebnn"):
            ebnn.load(saved)


def test_a_member_that_is_there_twice_is_refused(saved):
    """SPEC 8.3: which of them counts would depend on the reader."""
    with zipfile.ZipFile(saved, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("block0.weights.npy", members(saved)["block0.weights.npy"])
    with pytest.raises(FileFormatError, match="twice"):
        ebnn.load(saved)


def test_an_encrypted_or_oddly_packed_member_is_refused(saved):
    """SPEC 8.3: zipfile raises errors of its own kinds for these."""
    data = saved.read_bytes()
    local, directory = data.index(b"PK\x03\x04"), data.index(b"PK\x01\x02")
    for local_at, directory_at, value in [(6, 8, 1), (8, 10, 99), (8, 10, 12)]:
        changed = bytearray(data)
        changed[local + local_at] = changed[directory + directory_at] = value
        saved.write_bytes(changed)
        with pytest.raises(FileFormatError, match=r"tiny\.ebnn"):
            ebnn.load(saved)


# Paths


def test_a_missing_file_and_a_directory_are_named(tmp_path):
    """SPEC 8.3"""
    with pytest.raises(FileFormatError, match=r"none\.ebnn: cannot be read: No such file"):
        ebnn.load(tmp_path / "none.ebnn")
    with pytest.raises(FileFormatError, match="cannot be read: Is a directory"):
        ebnn.load(tmp_path)
    assert issubclass(FileFormatError, EbnnError)


def test_what_cannot_be_written_is_named(tmp_path):
    """An error of ours, and nothing left behind."""
    with pytest.raises(WriteError, match=r"a\.ebnn cannot be written: No such file"):
        tiny().save(tmp_path / "no folder" / "a.ebnn")
    with pytest.raises(WriteError, match="cannot be written: Is a directory"):
        tiny().save(tmp_path)
    with pytest.raises(WriteError, match="cannot be written: File name too long"):
        tiny().save(tmp_path / ("x" * 300))
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_write_leaves_the_old_file(saved, monkeypatch):
    """Whether the disk is full or someone presses Ctrl-C; no temporary file stays."""
    other = only_scores()

    def fail(error):
        def replace_file(self, target):
            raise error

        return replace_file

    for error, raised in [
        (OSError(errno.ENOSPC, "No space left on device"), WriteError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ]:
        monkeypatch.setattr(Path, "replace", fail(error))
        with pytest.raises(raised):
            other.save(saved)
        monkeypatch.undo()
        assert ebnn.load(saved) == tiny()
        assert list(saved.parent.iterdir()) == [saved]
    other.save(saved)
    assert ebnn.load(saved) == other


def test_the_data_is_never_written_to_the_file_itself(saved, monkeypatch):
    """While the new file is written, the old one is whole."""
    seen = []
    original = Path.replace

    def replace_file(self, target):
        seen.append((ebnn.load(target) == tiny(), ebnn.load(self) == only_scores(), self.parent == target.parent))
        return original(self, target)

    monkeypatch.setattr(Path, "replace", replace_file)
    only_scores().save(saved)
    assert seen == [(True, True, True)]


def test_a_new_file_may_be_read_by_those_whom_the_umask_allows(tmp_path):
    """Temporary files are private; the network's file is as any other."""
    before = os.umask(0o027)
    try:
        tiny().save(tmp_path / "a.ebnn")
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)
    assert (tmp_path / "a.ebnn").stat().st_mode & 0o777 == 0o640


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path):
    """/dev/stdout and the like are no files to move another one over."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_atomically(pipe, b"data")
        assert os.read(reader, 100) == b"data"
    finally:
        os.close(reader)
    assert pipe.is_fifo()


def test_a_file_from_another_zip_writer_is_read(saved):
    """SPEC 8.1: stored or deflated, in any order; it is the content that counts."""
    contents = members(saved)
    write_members(saved, dict(reversed(contents.items())))
    assert ebnn.load(saved) == tiny()
    with np.load(saved) as arrays:
        again = dict(arrays)
    np.savez_compressed(saved.with_suffix(".npz"), **again)
    assert ebnn.load(saved.with_suffix(".npz")) == tiny()


def test_big_endian_arrays_are_the_same_network(saved):
    """SPEC 8.2: the hash is over little-endian bytes, so a file written on another machine is the same."""
    contents = members(saved)
    with np.load(saved) as arrays:
        swapped = arrays["block0.threshold"].astype(">i4")
    write_members(saved, {**contents, "block0.threshold.npy": array_bytes(swapped)})
    assert ebnn.load(saved).hash == tiny().hash


def test_the_checksum_is_not_what_protects(saved):
    """A tamperer mends the zip's checksum, as here, and meets the hash."""
    contents = members(saved)
    raw = bytearray(contents["output.offset.npy"])
    raw[-8] ^= 1
    write_members(saved, {**contents, "output.offset.npy": bytes(raw)})
    with zipfile.ZipFile(saved) as archive:
        assert zlib.crc32(raw) == archive.getinfo("output.offset.npy").CRC
    with pytest.raises(FileFormatError, match="does not match its own hash: it was changed after it was written"):
        ebnn.load(saved)


def test_another_hash_is_another_network(saved):
    """The stated hash of another network does not make it one."""
    *blocks, last = tiny().layers
    other = ebnn.Network(tiny().input, [*blocks, replace(last, transform=replace(last.transform, scale=1.0))])
    description = {**description_of(saved), "hash": other.hash}
    write_members(saved, with_description(members(saved), description))
    with pytest.raises(FileFormatError, match="does not match its own hash"):
        ebnn.load(saved)


def test_a_file_that_says_more_than_its_network_is_refused(tmp_path):
    """SPEC 8.3: an unknown key, or an array of another type with the same values."""
    path = tmp_path / "a.ebnn"
    tiny().save(path)
    with np.load(path) as data:
        members = dict(data)
    description = json.loads(members["description.json"].tobytes())
    raw = np.frombuffer(json.dumps({**description, "extra": 1}).encode(), np.uint8)
    np.savez(tmp_path / "more.npz", **{**members, "description.json": raw})
    wide = members["block0.threshold"].astype(np.int64)
    np.savez(tmp_path / "wide.npz", **{**members, "block0.threshold": wide})
    np.savez(tmp_path / "same.npz", **members)
    assert ebnn.load(tmp_path / "same.npz") == tiny()
    for name in ("more", "wide"):
        with pytest.raises(FileFormatError, match=f"{name}.npz: is damaged or not an .ebnn file"):
            ebnn.load(tmp_path / f"{name}.npz")


def test_what_is_no_file_is_not_read():
    """/dev/zero never ends."""
    with pytest.raises(FileFormatError, match="is no file"):
        ebnn.load("/dev/zero")


def test_a_link_keeps_pointing_and_a_file_keeps_its_permissions(tmp_path):
    real, link = tmp_path / "real.ebnn", tmp_path / "link.ebnn"
    tiny().save(real)
    real.chmod(0o600)
    link.symlink_to(real)
    only_scores().save(link)
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o600
    assert ebnn.load(real) == only_scores()


# Limits


def deflated(path, contents, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in contents.items():
            archive.writestr(name, data)


def peak_of_loading(path):
    """The message of the refusal, and MB at its peak above what Python and NumPy take; in a process of its own."""
    program = """
import resource, sys, ebnn, ebnn.model.files
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    ebnn.load(sys.argv[1])
except ebnn.EbnnError as error:
    print(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    command = [sys.executable, "-c", program, path]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    *message, peak = done.stdout.splitlines()
    return " ".join(message), int(peak)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_that_is_neither_stored_nor_deflated_is_refused(saved, method):
    """SPEC 8.1: how much a block of the others unpacks to is not known before: 100 MB in a member that states 100 B."""
    contents = members(saved)
    deflated(saved, {**contents, "block0.weights.npy": bytes(100 * 2**20)}, method)
    data = bytearray(saved.read_bytes())
    stated = struct.pack("<I", 100 * 2**20)
    saved.write_bytes(data.replace(stated, struct.pack("<I", 100)))
    message, peak = peak_of_loading(saved)
    assert "npy is neither stored nor deflated" in message
    assert peak < 20


def test_more_weights_than_a_network_may_have_are_refused_before_they_are_unpacked(saved):
    """SPEC 8.3: 255 classes of 2,000,000 weights take 63 KB of file."""
    description = description_of(saved)
    description["input"]["shape"], description["blocks"] = [100, 200, 100], []
    description["output"]["weights"] = [255, 200, 100, 100]
    packed = array_bytes(np.zeros(255 * 2_000_000 // 8, np.uint8))
    contents = {name: data for name, data in members(saved).items() if not name.startswith("block")}
    deflated(saved, with_description({**contents, "output.weights.npy": packed}, description))
    message, peak = peak_of_loading(saved)
    assert re.search(r"unpacks to 63,7\d\d,\d\d\d bytes, 18,\d\d\d,\d\d\d are allowed", message)
    assert peak < 20


def test_the_largest_network_takes_its_weights_and_little_more(tmp_path):
    """16 MiB of packed weights are 128 MiB of truth values."""
    weights = np.broadcast_to(np.ones((1, 1, 1, 1), bool), (4_094, 1, 32_736, 1))
    dense = block_of(Dense(weights), None, Sign([0] * 4_094, [False] * 4_094))
    network = net_of(Input("bits", (1, 1, 32_736)), (dense,), scores(2, 1, 1, 4_094))
    network.save(tmp_path / "large.ebnn")
    message, peak = peak_of_loading(tmp_path / "large.ebnn")
    assert message == ""
    assert peak < 600


@pytest.mark.parametrize("count", [255, 5_000])
def test_more_blocks_than_a_network_may_have_are_refused_at_once(saved, count):
    """SPEC 7.5, 8.3."""
    description, contents = description_of(saved), members(saved)
    description["blocks"] *= count
    parts = {name.removeprefix("block0."): data for name, data in contents.items() if name.startswith("block0.")}
    more = {f"block{i}.{name}": data for i in range(count) for name, data in parts.items()}
    deflated(saved, with_description({**contents, **more}, description))
    started = time.process_time()
    with pytest.raises(FileFormatError, match=r"255 blocks, 254 fit|2,295 members are allowed"):
        ebnn.load(saved)
    assert time.process_time() - started < 1


def test_a_large_file_or_directory_is_refused_before_it_is_read(saved, tmp_path):
    """SPEC 8.3: a member's entry is not made where there are a million of them, nor where the file is sparse."""
    path = tmp_path / "sparse.ebnn"
    with path.open("wb") as file:
        file.truncate(2**33)
    with pytest.raises(FileFormatError, match=r"has 8,589,934,592 bytes, 18,\d\d\d,\d\d\d are allowed"):
        ebnn.load(path)
    data = saved.read_bytes()
    # A comment, or the end of a large zip, may name another directory.
    for changed in (data[:-2] + struct.pack("<H", 5) + b"hello", data[:-22] + b"PK\6\7" + bytes(16) + data[-22:]):
        saved.write_bytes(changed)
        with pytest.raises(FileFormatError, match=r"tiny\.ebnn: is damaged or not an \.ebnn file"):
            ebnn.load(saved)


def test_an_array_as_large_as_its_member_states_is_all_that_is_allocated(saved):
    """SPEC 8.3: 4 GB are stated, none is taken, whichever version of NumPy's format states them."""
    for version in [(1, 0), (2, 0)]:
        head = io.BytesIO()
        write = getattr(np.lib.format, f"write_array_header_{version[0]}_0")
        write(head, {"descr": "|u1", "fortran_order": False, "shape": (2**32,)})
        deflated(saved, {**members(saved), "block0.weights.npy": head.getvalue()})
        message, peak = peak_of_loading(saved)
        assert "block0.weights.npy states uint8 (4294967296,)" in message
        assert peak < 20


def test_a_large_description_is_refused(saved):
    """SPEC 8.3: JSON takes many times its size in memory."""
    description = {**description_of(saved), "more": [[]] * 2**19}
    deflated(saved, with_description(members(saved), description))
    with pytest.raises(FileFormatError, match=r"has a description of 2,\d\d\d,\d\d\d bytes, 1,048,576 are allowed"):
        ebnn.load(saved)


def test_a_single_class_is_refused(saved):
    """A file of an earlier ebnn may hold one: its class would always be 0."""
    description = description_of(saved)
    description["output"]["weights"][0] = 1
    contents = members(saved)
    for name, values in [("weights", np.zeros(1, np.uint8)), ("multiplier", [1]), ("offset", [0])]:
        dtype = {"weights": np.uint8, "multiplier": np.int16, "offset": np.int32}[name]
        contents[f"output.{name}.npy"] = array_bytes(np.array(values, dtype))
    write_members(saved, with_description(contents, description))
    with pytest.raises(FileFormatError, match=r"tiny\.ebnn: .*a single output"):
        ebnn.load(saved)


# Version 2

VECTORS = Path(__file__).parent / "vectors"


@pytest.fixture
def second(tmp_path):
    """A file of version 2: names, and a network that version 1 can describe."""
    path = tmp_path / "second.ebnn"
    load(VECTORS / "bits-conv.ebnn").with_meta(Meta(channel_names=("x",))).save(path)
    return path


def test_version_1_keeps_its_hash_in_version_2(second):
    assert description_of(second)["version"] == 2
    assert load(second).hash == load(VECTORS / "bits-conv.ebnn").hash
    assert load(second).meta.channel_names == ("x",)


def test_a_harmless_newer_field_is_skipped(second):
    description = description_of(second)
    description |= {"colour": "blue", "optional": ["meta", "colour"]}
    description["meta"]["shoe_size"] = 42
    write_members(second, with_description(members(second), description))
    assert load(second).meta.channel_names == ("x",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gate": 1}, r"has gate, which this ebnn \(.*\) does not know: install ebnn 99.0 or newer"),
        ({"encoder": {"name": "fourier"}}, r"an encoder of kind 'fourier', which .* install ebnn 99.0 or newer"),
        ({"ebnn": "\n", "gate": 1}, "does not know: install a newer ebnn"),
        ({"optional": "meta"}, "no list of names"),
        ({"meta": {"class_names": "ab"}}, "one text"),
        ({"meta": []}, "second.ebnn: is damaged"),
        ({"layers": []}, "damaged or not an .ebnn file"),
    ],
)
def test_a_newer_part_is_refused_with_the_version_to_get(second, change, message):
    write_members(second, with_description(members(second), description_of(second) | {"ebnn": "99.0"} | change))
    with pytest.raises(FileFormatError, match=message):
        load(second)
