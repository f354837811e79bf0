"""Builds a program for this computer, with its own C compiler."""

from SCons.Script import AlwaysBuild, Default, DefaultEnvironment

env = DefaultEnvironment()
env.Replace(PROGNAME="program")

program = env.BuildProgram()
Default(AlwaysBuild(env.Alias("buildprog", program, program)))
env.AddPlatformTarget("exec", program, env.VerboseAction("$SOURCE $PROGRAM_ARGS", "Executing $SOURCE"), "Execute")
