"""Real aarch64 programs on another machine, by QEMU's user emulation: answers and counts."""
