"""A filter of system calls for the jail's child (Linux seccomp): what an engine needs for computing and talking through its pipe, nothing else.

Everything that is not named here fails with EPERM: opening files, sockets, new processes, signals to others. Numbers: the kernel's tables
of x86-64 and of the generic ABI (arm64).
"""

import ctypes
import platform
import struct

_NUMBERS: dict[str, dict[str, int]] = {
    "x86_64": {
        "read": 0, "write": 1, "close": 3, "fstat": 5, "poll": 7, "lseek": 8, "mmap": 9, "mprotect": 10, "munmap": 11, "brk": 12,
        "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "pread64": 17, "mremap": 25, "sched_yield": 24, "madvise": 28,
        "nanosleep": 35, "setitimer": 38, "getpid": 39, "exit": 60, "gettimeofday": 96, "getrusage": 98, "times": 100,
        "sigaltstack": 131, "gettid": 186, "futex": 202, "sched_getaffinity": 204, "restart_syscall": 219, "clock_gettime": 228,
        "clock_getres": 229, "clock_nanosleep": 230, "exit_group": 231, "ppoll": 271, "getrandom": 318, "membarrier": 324, "rseq": 334,
        "clone": 56, "set_robust_list": 273, "pkey_mprotect": 329, "pkey_alloc": 330, "pkey_free": 331, "epoll_wait": 232,
        "epoll_ctl": 233, "epoll_pwait": 281, "prctl": 157, "sendto": 44, "recvfrom": 45, "clone3": 435,
    },
    "aarch64": {
        "read": 63, "write": 64, "close": 57, "fstat": 80, "lseek": 62, "mmap": 222, "mprotect": 226, "munmap": 215, "brk": 214,
        "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139, "pread64": 67, "mremap": 216, "sched_yield": 124, "madvise": 233,
        "nanosleep": 101, "setitimer": 103, "getpid": 172, "exit": 93, "gettimeofday": 169, "getrusage": 165, "times": 153,
        "sigaltstack": 132, "gettid": 178, "futex": 98, "sched_getaffinity": 123, "restart_syscall": 128, "clock_gettime": 113,
        "clock_getres": 114, "clock_nanosleep": 115, "exit_group": 94, "ppoll": 73, "getrandom": 278, "membarrier": 283, "rseq": 293,
        "clone": 220, "set_robust_list": 99, "pkey_mprotect": 288, "pkey_alloc": 289, "pkey_free": 290, "epoll_ctl": 21,
        "epoll_pwait": 22, "prctl": 167, "sendto": 206, "recvfrom": 207, "clone3": 435,
    },
}  # fmt: skip
_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# Only for engines with threads; `sendto` and `recvfrom` are how an event loop wakes itself through a pair it already has.
_THREADS = (
    "clone", "set_robust_list", "pkey_mprotect", "pkey_alloc", "pkey_free", "epoll_wait", "epoll_ctl", "epoll_pwait", "prctl",
    "sendto", "recvfrom",
)  # fmt: skip

_LOAD, _EQUAL, _SET, _RETURN = 0x20, 0x15, 0x45, 0x06  # BPF: load a word, jump if equal, jump if bits are set, return
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_EPERM, _ENOSYS = 1, 38
_CLONE_THREAD = 0x00010000
_NUMBER, _ARCH, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data (little-endian)
_PR_SET_SECCOMP, _MODE_FILTER = 22, 2


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def program(*, machine: str, threads: bool) -> bytes:
    """The filter as BPF instructions for this machine. Threads may be made only as threads, never as processes."""
    numbers = _NUMBERS[machine]
    code = [
        _op(_LOAD, _ARCH),
        _op(_EQUAL, _ARCHITECTURES[machine], yes=1),
        _op(_RETURN, _KILL),
        _op(_LOAD, _NUMBER),
        # glibc asks clone3 first; "no such call" makes it use clone, whose flags can be looked at.
        _op(_EQUAL, numbers["clone3"], no=1),
        _op(_RETURN, _ERRNO | _ENOSYS),
    ]
    for name, number in numbers.items():
        if name in ("clone", "clone3") or (name in _THREADS and not threads):
            continue
        code += [_op(_EQUAL, number, no=1), _op(_RETURN, _ALLOW)]
    if threads:
        code += [_op(_EQUAL, numbers["clone"], no=3), _op(_LOAD, _FIRST_ARGUMENT), _op(_SET, _CLONE_THREAD, no=1), _op(_RETURN, _ALLOW)]
    return b"".join([*code, _op(_RETURN, _ERRNO | _EPERM)])


def _op(code: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)


def restrict(libc: ctypes.CDLL, *, threads: bool) -> bool:
    """Put the filter on this process for good; False where the system has none. Needs `PR_SET_NO_NEW_PRIVS`."""
    machine = platform.machine()
    if machine not in _NUMBERS:
        return False
    made = program(machine=machine, threads=threads)
    held = _Program(len(made) // 8, made)
    return bool(libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(held), 0, 0) == 0)
