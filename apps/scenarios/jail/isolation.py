"""How the jail's child gives up everything that it does not need, before it reads the first script. Linux offers all of it; elsewhere the
limits of resources remain, and the child says which protections hold.
"""

import contextlib
import ctypes
import os
import resource
import signal
import sys

from apps.scenarios.jail import syscalls

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38
NEW_USER, NEW_NET, NEW_IPC, NEW_UTS = 0x10000000, 0x40000000, 0x08000000, 0x04000000
FIRST_UID, NOBODY = 2_000_000, 65534
DESCRIPTORS = 24
ENGINE_MB = 160  # address space of the interpreter and the engine themselves
_CAPABILITY_VERSION = 0x20080522


def apart() -> list[str]:
    """First half, while there is one thread and no engine: a network, and other things of the kernel's, of our own."""
    if sys.platform != "linux":
        return []
    libc = ctypes.CDLL(None, use_errno=True)
    spaces = NEW_NET | NEW_IPC | NEW_UTS
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    if libc.unshare(spaces if os.geteuid() == 0 else spaces | NEW_USER) == 0:
        return ["network"]
    return []


def lock(*, threads: bool, address_space: bool, memory_mb: int, folder: str) -> list[str]:
    """Second half, after the engine is loaded: no files, no rights, no new processes, little memory. Names of what holds."""
    held = []
    if sys.platform == "linux":
        held += ["files"] * _shut_in(folder) + ["user"] * _become_nobody()
    _limit(threads=threads, address_space=address_space, memory_mb=memory_mb)
    held.append("resources")
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        _drop_capabilities(libc)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # forgotten by a change of user, so it comes after
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        held += ["system calls"] * syscalls.restrict(libc, threads=threads)
    return held


def _shut_in(folder: str) -> bool:
    """An empty folder is the whole file system."""
    try:
        os.chroot(folder)
        os.chdir("/")
    except OSError:
        return False
    return True


def _become_nobody() -> bool:
    """A user that nobody else is, so that even signals reach nobody; where such numbers are not mapped, the system's nobody."""
    if os.geteuid() != 0:
        return False
    for uid in (FIRST_UID + os.getpid(), NOBODY):
        with contextlib.suppress(OSError):
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            return True
    return False


def _limit(*, threads: bool, address_space: bool, memory_mb: int) -> None:
    """CPU time is limited per script (`child.py`), because this process runs many."""
    _set("RLIMIT_CORE", 0)
    _set("RLIMIT_FSIZE", 0)
    _set("RLIMIT_NOFILE", DESCRIPTORS)
    if not threads:
        _set("RLIMIT_NPROC", 0)
    if address_space:
        _set("RLIMIT_AS", (ENGINE_MB + 2 * memory_mb) << 20)
    else:
        _set("RLIMIT_DATA", _data_bytes() + ((2 * memory_mb + 32) << 20))


def _set(name: str, value: int) -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        resource.setrlimit(getattr(resource, name), (value, value))


def _data_bytes() -> int:
    """What this process has of writable memory of its own, reserved or used."""
    return _taken_bytes or (1 << 30)


_taken_bytes = 0


def note_data() -> None:
    """To be called while files can be read: how much writable memory the engine has reserved by now."""
    global _taken_bytes  # noqa: PLW0603  a figure of this process
    with contextlib.suppress(OSError, StopIteration, ValueError):
        with open("/proc/self/status", encoding="ascii") as file:  # noqa: PTH123  pathlib is not needed here
            line = next(line for line in file if line.startswith("VmData:"))
        _taken_bytes = int(line.split()[1]) * 1024


def _drop_capabilities(libc: ctypes.CDLL) -> None:
    """In a user namespace of our own we are its master until here."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    none = (ctypes.c_uint32 * 6)()
    libc.capset(ctypes.byref(header), ctypes.byref(none))
