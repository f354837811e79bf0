"""Network → C for Linux: gcc or clang, the library firmware/lib/ebnn-linux, a source file, a file of weights."""
