"""Builds a sketch for the Arduino 101: compiles, links, and checks its size against the sketch's share of the Curie."""

import sys

from SCons.Script import AlwaysBuild, Default, DefaultEnvironment

env = DefaultEnvironment()
cpu = ["-mcpu=quarkse_em", "-mlittle-endian", "-mno-sdata"]
# What PlatformIO's own platform compiles with.
kept = ["-fno-reorder-functions", "-fno-asynchronous-unwind-tables", "-fno-omit-frame-pointer", "-fno-defer-pop"]
kept += ["-ffreestanding", "-fno-stack-protector", "-fsigned-char"]

env.Replace(
    AR="arc-linux-gnu-gcc-ar",
    AS="arc-linux-gnu-gcc",
    CC="arc-linux-gnu-gcc",
    CXX="arc-linux-gnu-g++",
    LINK="arc-linux-gnu-gcc",
    RANLIB="arc-linux-gnu-gcc-ranlib",
    ARFLAGS=["rc"],
    PROGNAME="firmware",
    PROGSUFFIX=".elf",
    SIZETOOL="arc-linux-gnu-size",
    SIZECHECKCMD="$SIZETOOL -A -d $SOURCES",
    SIZEPROGREGEXP=r"^\.(?:text|core|data)\s+(\d+)",
    SIZEDATAREGEXP=r"^\.(?:data|bss|core_variables)\s+(\d+)",
)
env.Append(
    CCFLAGS=[*cpu, "-Os", "-g", *kept, "-fno-pic", "-ffunction-sections", "-fdata-sections"],
    CFLAGS=["-std=gnu11"],
    CXXFLAGS=["-std=gnu++11", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics"],
    CPPDEFINES=[("F_CPU", "$BOARD_F_CPU")],
    LINKFLAGS=[*cpu, "-Os", "-nostdlib", "-static", "-no-pie", "-Wl,--gc-sections", "-Wl,--build-id=none"],
)

elf = env.BuildProgram()
Default([AlwaysBuild(env.Alias("buildprog", elf, elf)), env.Alias("size", elf)])


def refuse_upload(source, target, env):
    sys.stderr.write(
        "Error: the Arduino 101 is written by a tool that PlatformIO's registry has: connect to the network\n"
    )
    env.Exit(1)


env.AddPlatformTarget("upload", elf, refuse_upload, "Upload")
