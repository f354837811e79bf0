"""Adds the stand-in for the Arduino 101's core to a program."""

from pathlib import Path

from SCons.Script import DefaultEnvironment

env = DefaultEnvironment()
package = Path(env.PioPlatform().get_package_dir("framework-arduinointel"))
core = package / "cores" / "arduino"

env.Append(
    CPPDEFINES=[("ARDUINO", 10819), "ARDUINO_ARCH_ARC32", "ARDUINO_ARC32_TOOLS"],
    CPPPATH=[str(core)],
    LINKFLAGS=["-T", str(package / "sketch.ld")],
)
env.Depends("$BUILD_DIR/${PROGNAME}$PROGSUFFIX", str(package / "sketch.ld"))
core_env = env.Clone()
core_env.Append(CCFLAGS=["-Wall", "-Wextra", "-fno-tree-loop-distribute-patterns"])
# As objects, since nothing refers to the vectors, from which all is reached.
objects = core_env.CollectBuildFiles("$BUILD_DIR/FrameworkArduino", str(core))
env.Append(PIOBUILDFILES=[core_env.Object(source) for source in objects])
