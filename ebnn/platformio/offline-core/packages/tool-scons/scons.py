"""What PlatformIO starts to build a project: SCons, from the copy beside this file."""

from SCons.Script import main

main()
