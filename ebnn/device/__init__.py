"""The client: asks a board, over any port, what its network makes of a sample.

::

    with Device("/dev/ttyACM0", network_hash=net.hash32) as device:
        print(device.hello().board)
        prediction = device.predict(net.pack_input(x)[0])
        profile = device.profile(net.pack_input(x)[0])

A port is a URL for pySerial: a device name, ``socket://``, ``rfc2217://``, or ``sim://`` for a simulated board. One
request is under way at a time. What is lost or damaged is asked again; an answer counts only if it repeats the sequence
number, the command and the checksum of the request under way (``firmware/src/responder.c`` says why that is enough).
"""

from .answers import DeviceInfo, Prediction, Profile
from .client import Device
from .link import Statistics
from .serial_port import BAUDRATE, PortLike, open_port

__all__ = ["BAUDRATE", "Device", "DeviceInfo", "PortLike", "Prediction", "Profile", "Statistics", "open_port"]
