"""Adds the system's Arduino core for AVR to a program."""

from pathlib import Path

from SCons.Script import DefaultEnvironment

env = DefaultEnvironment()
board = env.BoardConfig()
core = Path(env.PioPlatform().get_package_dir("framework-arduino-avr"))
variant = core / "variants" / board.get("build.variant")

env.Append(
    CPPDEFINES=[("ARDUINO", 10819), "ARDUINO_ARCH_AVR"],
    CPPPATH=[str(core / "cores" / board.get("build.core")), str(variant)],
    LIBSOURCE_DIRS=[str(core / "libraries")],
)
core_env = env.Clone()
core_env.Append(
    # avr-gcc 5 has no DECIMAL_DIG in C++, and WString.cpp asks for it.
    CPPDEFINES=[("DECIMAL_DIG", 10)],
    CCFLAGS=["-w"],
)
env.Prepend(LIBS=[core_env.BuildLibrary("$BUILD_DIR/FrameworkArduino", str(core / "cores" / board.get("build.core")))])
