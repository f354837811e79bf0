"""Pushed networks, SPEC 9.12 to 9.18: through a real terminal to the firmware, with its store in a file."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial
from many_pushes import PIECE, Case, many_pushes
from push_cases import FLAGS, SANITIZED, build, cases, other_image

from ebnn.device import Device
from ebnn.device.answers import read_info
from ebnn.device.push_checks import check_kernels
from ebnn.errors import DeviceError, EbnnError, InputError, RefusedError
from ebnn.firmware_sources import firmware_folder
from ebnn.frames import Command, Decoder, Frame, Status, encode
from ebnn.simulation import find_compiler, program_url
from ebnn.updatable import Updatable, read_key, tag

OWN, OTHERS = cases()
FIRST, SECOND, THIRD = OTHERS
KEY = bytes(range(32))
TWO, ONE = 4096, 1024  # bytes of a store, with room for two of the images, and for one


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The firmware with room for two images, for one (under sanitizers), in RAM only, with a key, without a network."""

    def program(
        name: str, store: int, updatable: Updatable | None = None, pool: int = 0, flags: tuple[str, ...] = FLAGS
    ) -> Path:
        return build(tmp_path_factory.mktemp(name), OWN, flags, store, updatable, pool)

    return {
        "two": program("two", TWO),
        "one": program("one", ONE, flags=SANITIZED),
        "ram": program("ram", 512, pool=2400),
        "keyed": program("keyed", ONE, Updatable(KEY)),
        "empty": program("empty", TWO, Updatable(empty=True)),
    }


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


def url(program: Path, store: Path, writes: int = 0) -> str:
    return f"{program_url(program)}&store={store}" + (f"&writes={writes}" if writes else "")


def assert_runs(device: Device, case: Case, pushed: bool) -> None:
    info = device.hello()
    assert info.push is not None
    assert (info.network_hash, info.push.pushed) == (case.network.hash32, pushed)
    case.check(device)


@pytest.mark.parametrize("kind", ["two", "one"])
def test_a_pushed_network_answers_and_is_kept(kind: str, programs: dict[str, Path], store: Path) -> None:
    port = url(programs[kind], store)
    with Device(port) as device:
        assert_runs(device, OWN, False)
        for case in (FIRST, SECOND, THIRD):
            told: list[int] = []
            info = device.push(case.image, progress=told.append)
            assert info.network == "n"
            assert told == [0, *range(PIECE, len(case.image), PIECE), len(case.image)]
            assert_runs(device, case, True)
    with Device(port) as device:
        assert_runs(device, THIRD, True)
        assert device.forget().network == "own"
        assert_runs(device, OWN, False)
        device.forget()
    with Device(port) as device:
        assert_runs(device, OWN, False)


def test_a_network_in_ram_is_gone_after_a_reset(programs: dict[str, Path], store: Path) -> None:
    with Device(url(programs["ram"], store)) as device:
        for case in (FIRST, SECOND, FIRST, THIRD):
            info = device.push(case.image)
            assert info.push is not None
            assert not info.push.kept
            assert_runs(device, case, True)
    with Device(url(programs["ram"], store)) as device:
        assert_runs(device, OWN, False)


def test_firmware_without_a_network(programs: dict[str, Path], store: Path) -> None:
    with Device(url(programs["empty"], store)) as device:
        info = device.hello()
        assert (info.network, info.network_hash, info.classes, info.input_bytes) == ("", 0, 0, 0)
        with pytest.raises(RefusedError, match="it has no network: push one"):
            device.predict(b"")
        device.push(FIRST.image)
        assert_runs(device, FIRST, True)
        assert device.forget().classes == 0


def test_the_power_fails_at_each_byte(programs: dict[str, Path], store: Path) -> None:
    """With room for two there is always one of them: the new one from the last byte of its seal on."""
    plain = f"{program_url(programs['two'])}&store={store}"
    with Device(plain) as device:
        device.push(FIRST.image)
    before = store.read_bytes()
    written = sum(byte != 0xFF for byte in SECOND.image[4:])  # an erased byte is written by leaving it
    for writes in (1, 2, 3, 50, written // 2, *range(written - 1, written + 7)):
        store.write_bytes(before)
        with contextlib.suppress(EbnnError), Device(url(programs["two"], store, writes), retries=1) as device:
            device.push(SECOND.image)
        with Device(plain) as device:
            assert_runs(device, FIRST if writes <= written + 4 else SECOND, True)


@pytest.mark.parametrize(("kind", "keeps_old"), [("two", True), ("one", False)])
def test_many_pushes_over_a_bad_line(kind: str, keeps_old: bool, programs: dict[str, Path], store: Path) -> None:
    """many_pushes.py does 1,000."""
    found = many_pushes(programs[kind], OWN, OTHERS, store, 10, 7, keeps_old=keeps_old)
    assert found["pushed"] + found["cut"] == 10
    assert found["pushed"] > 3


class Board:
    """A board that is spoken to frame by frame."""

    def __init__(self, port: serial.Serial) -> None:
        self.port, self.decoder, self.number = port, Decoder(), 0

    def ask(self, command: int, body: bytes = b"") -> tuple[int, int]:
        """The status of the answer, and its detail."""
        self.number += 1
        self.port.write(encode(Frame(self.number, command, body)))
        while not (got := self.decoder.feed(self.port.read(1))):
            pass
        assert got[0].sequence == self.number
        return got[0].body[2], int.from_bytes(got[0].body[3:7], "little")

    def hello(self, nonce: bytes) -> None:
        assert self.ask(Command.HELLO, b"\x01" + nonce)[0] == Status.OK


@pytest.fixture
def board(programs: dict[str, Path], store: Path) -> Iterator[Board]:
    with contextlib.closing(serial.serial_for_url(url(programs["one"], store), timeout=1.0)) as port:
        yield Board(port)


def pieces(image: bytes) -> list[bytes]:
    return [struct.pack("<I", at) + image[at : at + PIECE] for at in range(0, len(image), PIECE)]


def crc(image: bytes) -> bytes:
    return image[12:16]


def test_before_a_session_everything_is_refused(board: Board) -> None:
    for command in (Command.PUSH_BEGIN, Command.PUSH_PIECE, Command.PUSH_COMMIT, Command.PUSH_ABORT):
        assert board.ask(command, bytes(36)) == (Status.NO_SESSION, 0)
    assert board.ask(Command.PUSH_FORGET, bytes(4)) == (Status.NO_SESSION, 0)


def test_pieces_in_any_order_and_twice(board: Board) -> None:
    image = FIRST.image
    board.hello(b"abcd")
    assert board.ask(Command.PUSH_BEGIN, image[:36])[0] == Status.OK
    for piece in [*pieces(image)[::-1], *pieces(image)[2:5]]:
        assert board.ask(Command.PUSH_PIECE, piece)[0] == Status.OK
    assert board.ask(Command.PUSH_BEGIN, image[:36])[0] == Status.OK
    for _ in range(2):
        assert board.ask(Command.PUSH_COMMIT, crc(image))[0] == Status.OK
    assert board.ask(Command.PUSH_PIECE, pieces(image)[0]) == (Status.NO_PUSH, 0)
    assert board.ask(Command.PUSH_COMMIT, b"else") == (Status.NO_PUSH, 0)
    with contextlib.closing(Device(board.port)) as device:
        assert_runs(device, FIRST, True)


def test_what_is_no_push_is_refused(board: Board) -> None:
    image = FIRST.image
    board.hello(b"abcd")
    assert board.ask(Command.PUSH_PIECE, pieces(image)[0]) == (Status.NO_PUSH, 0)
    assert board.ask(Command.PUSH_COMMIT, crc(image)) == (Status.NO_PUSH, 0)
    for size in (0, 35, 37, 68):
        assert board.ask(Command.PUSH_BEGIN, image[:size].ljust(size)) == (Status.WRONG_SIZE, 36)
    assert board.ask(Command.PUSH_BEGIN, b"X" + image[1:36])[0] == Status.BAD_IMAGE
    assert board.ask(Command.PUSH_BEGIN, image[:4] + b"\x09" + image[5:36])[0] == Status.BAD_IMAGE
    assert board.ask(Command.PUSH_BEGIN, image[:5] + b"\x01" + image[6:36]) == (Status.WRONG_TARGET, 2)
    huge = image[:8] + b"\xff\xff\xff\x7f" + image[12:36]
    assert board.ask(Command.PUSH_BEGIN, huge) == (Status.TOO_BIG, 1 << 20)
    assert board.ask(Command.PUSH_BEGIN, image[:36])[0] == Status.OK
    end = struct.pack("<I", len(image) - 1)
    assert board.ask(Command.PUSH_PIECE, end + b"ab") == (Status.TOO_BIG, len(image))
    assert board.ask(Command.PUSH_PIECE, b"\xff\xff\xff\xffab") == (Status.TOO_BIG, len(image))
    for size in (0, 4, 5 + PIECE):
        assert board.ask(Command.PUSH_PIECE, bytes(size)) == (Status.WRONG_SIZE, 4 + PIECE)
    with contextlib.closing(Device(board.port)) as device:
        assert_runs(device, OWN, False)


@pytest.mark.parametrize("end", ["abort", "a damaged image", "a new session", "another push"])
def test_what_ran_runs_on_and_is_kept_after_a_push_that_fails(
    end: str, board: Board, programs: dict[str, Path], store: Path
) -> None:
    """Though the store has no room for both: the old one is written back from RAM."""
    with contextlib.closing(Device(board.port)) as device:
        device.push(FIRST.image)
        board.hello(b"abcd")
        board.ask(Command.PUSH_BEGIN, SECOND.image[:36])
        for piece in pieces(SECOND.image)[:-1]:
            assert board.ask(Command.PUSH_PIECE, piece)[0] == Status.OK
        FIRST.check(device)  # in the midst of it
        if end == "abort":
            assert board.ask(Command.PUSH_ABORT)[0] == Status.OK
        elif end == "a damaged image":
            assert board.ask(Command.PUSH_COMMIT, crc(SECOND.image)) == (Status.BAD_IMAGE, 5)
        elif end == "a new session":
            board.hello(b"efgh")
        else:
            assert board.ask(Command.PUSH_BEGIN, THIRD.image[:36])[0] == Status.OK
        assert board.ask(Command.PUSH_COMMIT, crc(SECOND.image)) == (Status.NO_PUSH, 0)
    with Device(url(programs["one"], store)) as device:
        assert_runs(device, FIRST, True)


def test_a_key(programs: dict[str, Path], store: Path) -> None:
    with Device(url(programs["keyed"], store)) as device:
        with pytest.raises(DeviceError, match="name the key file that it was flashed with, --key-file FILE"):
            device.push(FIRST.image)
        with pytest.raises(RefusedError, match="the key is not the one that it was flashed with"):
            device.push(FIRST.image, key=KEY[::-1])
        device.push(FIRST.image, key=KEY)
        assert_runs(device, FIRST, True)
        for case in (FIRST, SECOND):  # the one that it runs already too
            with pytest.raises(RefusedError, match="the key is not"):
                device.push(case.image, key=KEY[::-1])
        with pytest.raises(RefusedError, match="the key is not"):
            device.forget(key=bytes(32))
        assert_runs(device, FIRST, True)
    with Device(url(programs["keyed"], store)) as device:
        assert_runs(device, FIRST, True)
        assert device.forget(key=KEY).network == "own"


def test_another_content_under_the_tag_of_a_begin_is_refused(programs: dict[str, Path], store: Path) -> None:
    """Whoever has heard a push, and forges the content and its CRC-32, lacks the tag of the content."""
    forged = bytearray(FIRST.image)
    forged[100] ^= 1
    mend_crc(forged, FIRST.image)
    with contextlib.closing(serial.serial_for_url(url(programs["keyed"], store), timeout=1.0)) as port:
        board = Board(port)
        board.hello(b"abcd")
        head = FIRST.image[:36]
        assert board.ask(Command.PUSH_BEGIN, head + tag(KEY, Command.PUSH_BEGIN, head))[0] == Status.OK
        for piece in pieces(bytes(forged)):
            assert board.ask(Command.PUSH_PIECE, piece)[0] == Status.OK
        heard = tag(KEY, Command.PUSH_COMMIT, FIRST.image)
        assert board.ask(Command.PUSH_COMMIT, crc(FIRST.image) + heard) == (Status.WRONG_KEY, 5)
        with contextlib.closing(Device(port)) as device:
            assert_runs(device, OWN, False)


def mend_crc(forged: bytearray, image: bytes) -> None:
    """Chooses the last four bytes so that the CRC-32 is the image's: it is linear in them."""
    import binascii

    goal = binascii.crc32(image[16:])
    forged[-4:] = bytes(4)
    base = binascii.crc32(forged[16:])
    columns = []
    for bit in range(32):
        forged[-4:] = (1 << bit).to_bytes(4, "little")
        columns.append(binascii.crc32(forged[16:]) ^ base)
    rows = [(column, 1 << bit) for bit, column in enumerate(columns)]
    wanted, chosen = goal ^ base, 0
    for bit in range(32):
        pivot = next(i for i, (value, _) in enumerate(rows) if value >> bit & 1)
        value, used = rows.pop(pivot)
        rows = [(v ^ value, u ^ used) if v >> bit & 1 else (v, u) for v, u in rows]
        if wanted >> bit & 1:
            wanted, chosen = wanted ^ value, chosen ^ used
    forged[-4:] = chosen.to_bytes(4, "little")
    assert binascii.crc32(forged[16:]) == goal


def test_errors_before_anything_is_sent(programs: dict[str, Path], store: Path, stub_url: str) -> None:
    image = FIRST.image
    with Device(url(programs["ram"], store)) as device:
        big = image[:24] + (5000).to_bytes(4, "little") + image[28:]
        with pytest.raises(
            DeviceError, match=rf"needs [\d,]+ B of RAM, {len(image)} B of them .* has 2,400 B: use fewer"
        ):
            device.push(big)
        with pytest.raises(DeviceError, match="the image is for an AVR, the board has a 32-bit processor"):
            device.push(image[:5] + b"\x01" + image[6:])
        with pytest.raises(DeviceError, match="the board takes images of version 1, this ebnn makes version 2"):
            device.push(image[:4] + b"\x02" + image[5:])
        with pytest.raises(DeviceError, match="the board has no key, it takes every network: leave --key-file out"):
            device.push(image, key=KEY)
        with pytest.raises(DeviceError, match="no image of a network"):
            device.push(b"EBNI")
        assert device.statistics.requests == 0
    with Device(stub_url) as device:
        assert device.hello().push is None
        with pytest.raises(DeviceError, match=r"of board 'host' takes no networks: sim://host\?updatable=1 is one"):
            device.push(image)


def test_an_image_that_the_firmware_has_no_code_for_is_refused() -> None:
    """FIRST has the kernels 5, tables of a convolution, and 12, an output of fours, as model_layer.h counts them."""
    start = struct.pack("<B4sIIIIH", 1, b"abcd", 1, 2, 3, 4, 5) + b"uno\0net\0"
    for kernels, fits in ((1 << 12, False), (1 << 5, False), (0x1020, True), (0xFFFFFFFF, True)):
        info = read_info(start + struct.pack("<BBBHIII", 5, 1, 2, 64, 1000, 0, kernels), b"abcd")
        assert info is not None
        assert info.push is not None
        refused = pytest.raises(DeviceError, match=r"needs .* 0x1020ul, the board has")
        with contextlib.nullcontext() if fits else refused:
            check_kernels(FIRST.image, info.push, "port")
        with pytest.raises(DeviceError, match="its checksum is wrong"):
            check_kernels(other_image(FIRST.image, 100), info.push, "port")


def test_greetings_of_other_versions() -> None:
    """Of firmware of before, and of one that says more."""
    start = struct.pack("<B4sIIIIH", 1, b"abcd", 1, 2, 3, 4, 5) + b"uno\0net\0"
    old = read_info(start, b"abcd")
    assert old is not None
    assert old.push is None
    facts = struct.pack("<BBBHIII", 5, 1, 2, 64, 1000, 0, 7)
    new = read_info(start + facts + b"more", b"abcd")
    assert new is not None
    assert (new.board, new.network) == ("uno", "net")
    assert new.push is not None
    assert (new.push.pushed, new.push.kept, new.push.keyed) == (True, False, True)
    assert (new.push.piece_bytes, new.push.room_bytes, new.push.store_bytes, new.push.kernels) == (64, 1000, 0, 7)
    without_pieces = read_info(start + struct.pack("<BBBHIII", 5, 1, 2, 0, 1000, 0, 7), b"abcd")
    assert without_pieces is not None
    assert without_pieces.push is None


def test_a_key_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_bytes(b"0123456789abcdef")
    assert read_key(file) == hashlib.sha256(b"0123456789abcdef").digest()
    file.write_bytes(b"too short")
    with pytest.raises(InputError, match="one has 16 to 65,536 bytes"):
        read_key(file)


SHA_PROGRAM = """\
#include <stdio.h>
#include "sha256.h"
static const uint8_t key[32] = {KEY};
int main(void)
{
    struct ebnn_sha256 sha, mac;
    uint8_t out[32];
    int byte, i;
    ebnn_sha256_start(&sha);
    ebnn_hmac_start(&mac, key);
    while ((byte = getchar()) != EOF) {
        ebnn_sha256_add(&sha, (uint8_t)byte);
        ebnn_sha256_add(&mac, (uint8_t)byte);
    }
    ebnn_sha256_end(&sha, out);
    for (i = 0; i < 32; i++) printf("%02x", out[i]);
    ebnn_hmac_end(&mac, key, out);
    for (i = 0; i < 32; i++) printf("%02x", out[i]);
    return 0;
}
"""
# RFC 4231, cases 1 to 4; HMAC fills a key up with zeros, so these have 32 bytes as well.
RFC_4231 = [
    (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    (bytes(range(1, 26)), b"\xcd" * 50, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
]


@pytest.mark.parametrize(("key", "message", "expected"), RFC_4231)
def test_sha_256_and_hmac(key: bytes, message: bytes, expected: str, tmp_path: Path) -> None:
    source = tmp_path / "sha.c"
    source.write_text(SHA_PROGRAM.replace("KEY", ", ".join(map(str, key))))
    firmware = firmware_folder()
    program = tmp_path / "sha"
    command = [*find_compiler(), *FLAGS, "-DEBNN_UPDATABLE", f"-I{firmware / 'src'}", f"-I{firmware / 'lib/ebnn/src'}"]
    subprocess.run([*command, source, firmware / "src/sha256.c", "-o", program], check=True)

    def run(text: bytes) -> str:
        return subprocess.run([program], input=text, capture_output=True, check=True).stdout.decode()

    assert run(message)[64:] == expected
    for size in (0, 1, 3, 55, 56, 57, 63, 64, 65, 119, 120, 128, 1000):
        text = bytes((7 * i + size) % 256 for i in range(size))
        assert run(text) == hashlib.sha256(text).hexdigest() + hmac.digest(key, text, "sha256").hex()
