"""Whether a system has the words that inference needs."""

from __future__ import annotations

from dcrnet_runtime.errors import DcrnetError

_32_BITS = ("armv6", "armv7", "armv8l", "armhf", "i386", "i486", "i586", "i686")


def require_64_bits(name: str, machine: str, bits: int) -> None:
    """Refuse a 32-bit system.

    Args:
        name: of the machine, for people.
        machine: architecture, by its kernel.
        bits: of a word of its programs, which may be 32 on a 64-bit kernel.

    Raises:
        DcrnetError: there are no inference packages for it; says what to install.
    """
    is_32_bit_machine = machine.lower().startswith(_32_BITS)
    if bits >= 64 and not is_32_bit_machine:
        return
    kind = machine if is_32_bit_machine else f"{machine} with {bits}-bit programs"
    raise DcrnetError(
        f"{name} has a 32-bit system ({kind}), for which onnxruntime and LiteRT have no packages:"
        " install a 64-bit one (Raspberry Pi 3 and later: Raspberry Pi OS 64-bit; else Debian"
        " arm64)"
    )
