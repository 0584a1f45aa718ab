#!/bin/sh
# enter-root.sh ROOT WORK CACHE QEMU CPUINFO COMMAND...
# Runs a command in a root with this machine's network, /dev and /proc, WORK at /work and pip's CACHE
# at /pip-cache. It is called in new user, mount and process namespaces, so that nothing of it is seen
# outside. QEMU, where not "-", is a static qemu-aarch64, which then runs the root's programs (a
# binfmt_misc of the namespace's own: Linux 6.7 or later); CPUINFO is what they read of their core.
set -eu
root=$1 work=$2 cache=$3 qemu=$4 cpuinfo=$5
shift 5
mount --make-rprivate /
mkdir -p "$root/proc" "$root/dev" "$root/work" "$root/pip-cache"
if [ "$qemu" != - ]; then
  mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
  # An ELF header of 64 bits, little-endian, for machine 183 (AArch64). F: opened now, not in the root.
  printf '%s' ":arm64:M::\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00:\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff:$qemu:F" \
    > /proc/sys/fs/binfmt_misc/register
fi
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --bind "$work" "$root/work"
mount --bind "$cache" "$root/pip-cache"
[ "$cpuinfo" = - ] || mount --bind "$cpuinfo" "$root/proc/cpuinfo"
exec chroot "$root" "$@"
