"""Finding a board's port by its USB ids."""

import pytest
from serial.tools.list_ports_common import ListPortInfo

from ebnn.boards import load_board
from ebnn.device.discovery import find_port
from ebnn.errors import PortError


def port(device: str, description: str, vid: int | None = None, pid: int | None = None) -> ListPortInfo:
    """A port as pySerial describes it."""
    info = ListPortInfo(device)
    info.description, info.vid, info.pid = description, vid, pid
    return info


UNO = port("/dev/ttyACM0", "Arduino Uno", 0x2341, 0x0043)
SECOND_UNO = port("/dev/ttyACM1", "Arduino Uno", 0x2341, 0x0043)
MEGA = port("/dev/ttyACM2", "Arduino Mega", 0x2341, 0x0042)
MODEM = port("/dev/ttyS0", "n/a")


def test_the_one_board_with_its_ids_is_found():
    assert find_port(load_board("uno"), [MODEM, MEGA, UNO]) == "/dev/ttyACM0"
    assert find_port(load_board("megaatmega2560"), [MODEM, MEGA, UNO]) == "/dev/ttyACM2"


@pytest.mark.parametrize(
    ("ports", "message"),
    [
        ([], "there is no serial port: plug the Arduino Uno in"),
        (
            [MODEM, MEGA],
            r"no port has the USB ids of the Arduino Uno .*/dev/ttyACM2 \(Arduino Mega, 2341:0042\), /dev/ttyS0",
        ),
        ([UNO, SECOND_UNO, MEGA], "2 ports can be the Arduino Uno: /dev/ttyACM0 .*/dev/ttyACM1 .*one with --port"),
    ],
)
def test_none_or_several_are_listed(ports, message):
    with pytest.raises(PortError, match=message):
        find_port(load_board("uno"), ports)
