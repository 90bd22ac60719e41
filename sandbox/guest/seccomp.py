"""A second filter of system calls, on top of the engine's own: the stricter of the two counts.

The engine's default lets through what its containers might need. Here nothing needs a kernel's younger or rarer
doors, and nobody may lower the limits of a process that is not their own, or end process 1: all processes of a box have
one user id.
"""

import ctypes
import errno
import platform
import struct
from collections.abc import Iterable

Instruction = tuple[int, int, int, int]
"""Code, jump if true, jump if false, constant: `struct sock_filter` of linux/filter.h."""

AF_UNIX, AF_INET, AF_INET6 = 1, 2, 10
NAMESPACES = 0x7E02_0000
"""Every CLONE_NEW… flag: linux/sched.h."""
PRIO_PGRP = 1
"""Beyond it stands PRIO_USER: all processes of a user at once."""
IOPRIO_WHO_PGRP = 2

# Numbers of system calls, first on x86_64, then on aarch64: arch/x86/entry/syscalls/syscall_64.tbl and
# include/uapi/asm-generic/unistd.h.
_MACHINES = ("x86_64", "aarch64")
_AUDIT = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7}
_FORBIDDEN = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "bpf": (321, 280),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "memfd_secret": (447, 447),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "move_pages": (279, 239),
    # Memory and queues that outlive the processes that made them: nobody could take them away again.
    "msgget": (68, 186),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "personality": (135, 92),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_madvise": (440, 440),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "semget": (64, 190),
    "setns": (308, 268),
    "shmget": (29, 194),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
    "vmsplice": (278, 75),
}
_OF_ANOTHER_PROCESS = {
    "prlimit64": (302, 261),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
}
"""Their first argument is a process; 0 is oneself."""
_TO_A_PROCESS = {
    "kill": (62, 129),
    "pidfd_open": (434, 434),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "tgkill": (234, 131),
    "tkill": (200, 130),
}
"""Their first argument is a process. Linux itself keeps process 1 from being ended, gVisor does not."""
_MKNOD, _MKNODAT = (133, -1), (259, 33)
_DEVICE_BIT = 0x2000
"""In the modes of devices, and of nothing else that can be made so: S_IFCHR and S_IFBLK of linux/stat.h."""
_FCNTL = (72, 25)
_F_SETSIG = 10
"""Chooses the signal that a descriptor sends to its owner, process 1 perhaps."""
_SETPRIORITY, _IOPRIO_SET = (141, 140), (251, 30)
_SOCKET, _SOCKETPAIR = (41, 198), (53, 199)
_CLONE, _CLONE3 = (56, 220), (435, 435)
_X32_BIT = 0x4000_0000

_LOAD, _EQUAL, _AT_LEAST, _ABOVE, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x25, 0x45, 0x06
_KILL_PROCESS, _ERRNO, _ALLOW = 0x8000_0000, 0x0005_0000, 0x7FFF_0000
_NUMBER, _ARCHITECTURE = 0, 4
"""Offsets in `struct seccomp_data`."""

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 38, 22, 2


def apply() -> None:
    """From now on for this process and all that it starts; there is no way back.

    Raises `OSError`; `ValueError` on a machine whose numbers are not known here.
    """
    instructions = program(platform.machine())
    code = ctypes.create_string_buffer(
        b"".join(struct.pack("HBBI", *instruction) for instruction in instructions)
    )
    described = ctypes.create_string_buffer(
        struct.pack("HxxxxxxQ", len(instructions), ctypes.addressof(code))
    )
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.c_void_p(ctypes.addressof(described)), 0, 0):
        raise OSError(ctypes.get_errno(), "the filter of system calls was refused")


def program(machine: str) -> list[Instruction]:
    """The filter as the kernel takes it."""
    column = _MACHINES.index(machine)
    refused = _returns(_ERRNO | errno.EPERM)
    return [
        _load(_ARCHITECTURE),
        # The calls of another architecture (i386's) have other numbers.
        _jump(_EQUAL, _AUDIT[machine], 1, 0),
        _returns(_KILL_PROCESS),
        _load(_NUMBER),
        *_when(_AT_LEAST, _X32_BIT, [_returns(_ERRNO | errno.ENOSYS)] if machine == "x86_64" else []),
        # Its flags lie in memory, where no filter can look. Whoever is told that it is not there takes clone.
        *_when(_EQUAL, _CLONE3[column], [_returns(_ERRNO | errno.ENOSYS)]),
        *_each(_FORBIDDEN.values(), column, [refused]),
        *_each(
            _OF_ANOTHER_PROCESS.values(),
            column,
            [_argument(0), _jump(_EQUAL, 0, 1, 0), refused, _NUMBER_AGAIN],
        ),
        *_each(
            _TO_A_PROCESS.values(),
            column,
            [_argument(0), _jump(_EQUAL, 1, 0, 1), refused, _NUMBER_AGAIN],
        ),
        *_each([_MKNOD], column, [_argument(1), _jump(_ANY_BIT, _DEVICE_BIT, 0, 1), refused, _NUMBER_AGAIN]),
        *_each(
            [_MKNODAT], column, [_argument(2), _jump(_ANY_BIT, _DEVICE_BIT, 0, 1), refused, _NUMBER_AGAIN]
        ),
        *_each([_FCNTL], column, [_argument(1), _jump(_EQUAL, _F_SETSIG, 0, 1), refused, _NUMBER_AGAIN]),
        *_each([_SETPRIORITY], column, _only_oneself(PRIO_PGRP, refused)),
        *_each([_IOPRIO_SET], column, _only_oneself(IOPRIO_WHO_PGRP, refused)),
        *_each([_CLONE], column, [_argument(0), _jump(_ANY_BIT, NAMESPACES, 0, 1), refused, _NUMBER_AGAIN]),
        *_each(
            [_SOCKET, _SOCKETPAIR],
            column,
            [
                _argument(0),
                _jump(_EQUAL, AF_UNIX, 3, 0),
                _jump(_EQUAL, AF_INET, 2, 0),
                _jump(_EQUAL, AF_INET6, 1, 0),
                _returns(_ERRNO | errno.EAFNOSUPPORT),
                _NUMBER_AGAIN,
            ],
        ),
        _returns(_ALLOW),
    ]


def _only_oneself(widest: int, refused: Instruction) -> list[Instruction]:
    """For calls whose first argument says what the second one names: a process, a group, a user."""
    return [
        _argument(0),
        _jump(_ABOVE, widest, 2, 0),
        _argument(1),
        _jump(_EQUAL, 0, 1, 0),
        refused,
        _NUMBER_AGAIN,
    ]


def _each(numbers: Iterable[tuple[int, int]], column: int, block: list[Instruction]) -> list[Instruction]:
    return [
        line for number in numbers if number[column] >= 0 for line in _when(_EQUAL, number[column], block)
    ]


def _when(condition: int, constant: int, block: list[Instruction]) -> list[Instruction]:
    return [_jump(condition, constant, 0, len(block)), *block] if block else []


def _load(offset: int) -> Instruction:
    return _LOAD, 0, 0, offset


def _argument(number: int) -> Instruction:
    """Its lower half, which is all that the kernel looks at where it takes an int."""
    return _load(16 + 8 * number)


def _jump(condition: int, constant: int, if_true: int, if_false: int) -> Instruction:
    return condition, if_true, if_false, constant


def _returns(action: int) -> Instruction:
    return _RETURN, 0, 0, action


_NUMBER_AGAIN = _load(_NUMBER)
