"""Builds a program for an AVR: compiles, links, makes the hex file, checks the size, and uploads with avrdude."""

from platformio.device.list.util import list_serial_ports
from SCons.Script import AlwaysBuild, Builder, Default, DefaultEnvironment

env = DefaultEnvironment()
board = env.BoardConfig()

env.Replace(
    AR="avr-gcc-ar",
    AS="avr-gcc",
    CC="avr-gcc",
    CXX="avr-g++",
    LINK="avr-gcc",
    OBJCOPY="avr-objcopy",
    RANLIB="avr-gcc-ranlib",
    ARFLAGS=["rc"],
    PROGNAME="firmware",
    PROGSUFFIX=".elf",
    SIZETOOL="avr-size",
    SIZECHECKCMD="$SIZETOOL -A -d $SOURCES",
    SIZEPROGREGEXP=r"^\.(?:text|data|bootloader)\s+(\d+)",
    SIZEDATAREGEXP=r"^\.(?:data|bss|noinit)\s+(\d+)",
)
env.Append(
    ASFLAGS=["-mmcu=$BOARD_MCU"],
    ASPPFLAGS=["-x", "assembler-with-cpp"],
    CCFLAGS=["-mmcu=$BOARD_MCU", "-Os", "-g", "-flto", "-ffunction-sections", "-fdata-sections"],
    CFLAGS=["-std=gnu11", "-fno-fat-lto-objects"],
    CXXFLAGS=["-std=gnu++11", "-fpermissive", "-fno-exceptions", "-fno-threadsafe-statics"],
    CPPDEFINES=[("F_CPU", "$BOARD_F_CPU")],
    LINKFLAGS=["-mmcu=$BOARD_MCU", "-Os", "-flto", "-fuse-linker-plugin", "-Wl,--gc-sections"],
    LIBS=["m"],
    BUILDERS={
        "ElfToHex": Builder(
            action=env.VerboseAction("$OBJCOPY -O ihex -R .eeprom $SOURCES $TARGET", "Building $TARGET"), suffix=".hex"
        )
    },
)

elf = env.BuildProgram()
firmware = env.ElfToHex("$BUILD_DIR/firmware", elf)
env.Depends(firmware, "checkprogsize")
Default([AlwaysBuild(env.Alias("buildprog", firmware, firmware)), env.Alias("size", elf)])


def find_port(source, target, env):
    """Names the port, and starts the bootloader of a board that has USB of its own."""
    env.AutodetectUploadPort()
    if board.get("upload.use_1200bps_touch", False):
        before = list_serial_ports()
        env.TouchSerialPort("$UPLOAD_PORT", 1200)
        if board.get("upload.wait_for_upload_port", False):
            env.Replace(UPLOAD_PORT=env.WaitForNewSerialPort(before))


env.Replace(
    UPLOADER="avrdude",
    UPLOADERFLAGS=["-p", "$BOARD_MCU", "-c", "$UPLOAD_PROTOCOL", "-P", "$UPLOAD_PORT", "-b", "$UPLOAD_SPEED", "-D"],
    UPLOADCMD="$UPLOADER $UPLOADERFLAGS -U flash:w:$SOURCES:i",
)
env.AddPlatformTarget(
    "upload",
    firmware,
    [
        env.VerboseAction(find_port, "Looking for upload port..."),
        env.VerboseAction("$UPLOADCMD", "Uploading $SOURCE"),
    ],
    "Upload",
)
