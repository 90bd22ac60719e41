"""The filter of system calls, run by a small interpreter of the kernel's instructions."""

import errno
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.guest import seccomp
from sandbox.guest.seccomp import Instruction, program

X86_64, AARCH64 = "x86_64", "aarch64"
MACHINES = (X86_64, AARCH64)
AUDIT = {X86_64: 0xC000003E, AARCH64: 0xC00000B7}
AUDIT_I386, AUDIT_ARM = 0x40000003, 0x40000028
KILL, ERRNO, ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
HEADERS = {
    X86_64: Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    AARCH64: Path("/usr/include/asm-generic/unistd.h"),
}
MOST_INSTRUCTIONS = 4096
"""BPF_MAXINSNS."""

NUMBERS = {
    # Call: x86_64, aarch64.
    "read": (0, 63),
    "write": (1, 64),
    "mmap": (9, 222),
    "execve": (59, 221),
    "exit_group": (231, 94),
    "futex": (202, 98),
    "kill": (62, 129),
    "wait4": (61, 260),
    "openat": (257, 56),
    "memfd_create": (319, 279),
    "getpriority": (140, 141),
    "sched_getaffinity": (204, 123),
    "connect": (42, 203),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "io_uring_setup": (425, 425),
    "bpf": (321, 280),
    "keyctl": (250, 219),
    "userfaultfd": (323, 282),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "open_by_handle_at": (304, 265),
    "perf_event_open": (298, 241),
    "prlimit64": (302, 261),
    "sched_setaffinity": (203, 122),
    "sched_setscheduler": (144, 119),
    "sched_setparam": (142, 118),
    "sched_setattr": (314, 274),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "clone": (56, 220),
    "clone3": (435, 435),
    "tkill": (200, 130),
    "tgkill": (234, 131),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "pidfd_open": (434, 434),
    "mknodat": (259, 33),
    "fcntl": (72, 25),
}
ORDINARY = (
    "read", "write", "mmap", "execve", "exit_group", "futex", "kill", "wait4", "openat", "memfd_create", "getpriority",
    "sched_getaffinity", "connect",
)  # fmt: skip
FORBIDDEN = (
    "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "io_uring_setup", "bpf", "keyctl", "userfaultfd",
    "unshare", "setns", "mount", "open_by_handle_at", "perf_event_open",
)  # fmt: skip
OF_A_PROCESS = ("prlimit64", "sched_setaffinity", "sched_setscheduler", "sched_setparam", "sched_setattr")
CLONE_NEW = {
    "NEWNS": 0x20000,
    "NEWCGROUP": 0x02000000,
    "NEWUTS": 0x04000000,
    "NEWIPC": 0x08000000,
    "NEWUSER": 0x10000000,
    "NEWPID": 0x20000000,
    "NEWNET": 0x40000000,
}
FORK, THREAD = 0x01200011, 0x003D0F00
"""What the C library asks of clone for a process and for a thread."""


@dataclass(frozen=True)
class Kernel:
    machine: str

    def says(self, call: str | int, *arguments: int, audit: int | None = None) -> str:
        number = call if isinstance(call, int) else NUMBERS[call][MACHINES.index(self.machine)]
        action = run(
            program(self.machine), number, AUDIT[self.machine] if audit is None else audit, arguments
        )
        if action & 0xFFFF0000 == ERRNO:
            return errno.errorcode[action & 0xFFFF]
        return {ALLOW: "allow", KILL: "kill"}[action]


def run(instructions: list[Instruction], number: int, audit: int, arguments: tuple[int, ...] = ()) -> int:
    """What comes out for a call, as struct seccomp_data has it: number, architecture, address, six arguments."""
    words = [number & 0xFFFFFFFF, audit, 0xDEADBEEF, 0xDEADBEEF]
    for argument in (*arguments, *(0xAAAAAAAA_AAAAAAAA,) * (6 - len(arguments))):
        words += [argument & 0xFFFFFFFF, argument >> 32 & 0xFFFFFFFF]
    accumulator = at = 0
    while True:
        code, if_true, if_false, constant = instructions[at]
        at += 1
        if code == 0x06:  # BPF_RET | BPF_K
            return constant
        if code == 0x20:  # BPF_LD | BPF_W | BPF_ABS
            assert constant % 4 == 0
            accumulator = words[constant // 4]
            continue
        holds = {
            0x15: accumulator == constant,  # BPF_JEQ
            0x25: accumulator > constant,  # BPF_JGT
            0x35: accumulator >= constant,  # BPF_JGE
            0x45: bool(accumulator & constant),  # BPF_JSET
        }[code]
        at += if_true if holds else if_false


@pytest.fixture(params=MACHINES)
def kernel(request: pytest.FixtureRequest) -> Kernel:
    return Kernel(request.param)


@pytest.mark.parametrize("machine", MACHINES)
def test_every_way_through_the_filter_ends_within_it(machine: str) -> None:
    instructions = program(machine)

    assert len(instructions) <= MOST_INSTRUCTIONS
    for at, (code, if_true, if_false, constant) in enumerate(instructions):
        assert 0 <= constant < 2**32
        assert 0 <= if_true < 256
        assert 0 <= if_false < 256
        if code & 0x07 == 0x05:  # BPF_JMP
            assert at + 1 + max(if_true, if_false) < len(instructions)
    assert instructions[-1] == (0x06, 0, 0, ALLOW)


@pytest.mark.parametrize("machine", MACHINES)
def test_no_instruction_is_out_of_reach(machine: str) -> None:
    instructions = program(machine)
    reached, waiting = set(), [0]
    while waiting:
        at = waiting.pop()
        if at in reached:
            continue
        reached.add(at)
        code, if_true, if_false, _ = instructions[at]
        if code == 0x20:
            waiting.append(at + 1)
        elif code != 0x06:
            waiting += [at + 1 + if_true, at + 1 + if_false]

    assert reached == set(range(len(instructions)))


@pytest.mark.parametrize("machine", MACHINES)
def test_numbers_are_those_of_the_kernels_headers(machine: str) -> None:
    header = HEADERS[machine]
    if not header.is_file():
        pytest.skip(f"{header} is not installed")
    names = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)\b", header.read_text())
    known = {name: int(number) for name, number in names}
    column = MACHINES.index(machine)

    called = {name: numbers[column] for name, numbers in (*seccomp._FORBIDDEN.items(), *NUMBERS.items())}
    called |= {name: numbers[column] for name, numbers in seccomp._OF_ANOTHER_PROCESS.items()}

    assert {name: known.get(name, number) for name, number in called.items()} == called
    assert len(called.keys() & known.keys()) > len(called) * 0.9


@pytest.mark.parametrize("call", ORDINARY)
def test_what_programs_do_is_allowed(kernel: Kernel, call: str) -> None:
    assert kernel.says(call) == "allow"


@pytest.mark.parametrize("call", FORBIDDEN)
def test_what_no_cell_needs_is_refused(kernel: Kernel, call: str) -> None:
    assert kernel.says(call) == "EPERM"
    assert kernel.says(call, 0, 0) == "EPERM"


def test_everything_on_the_list_is_refused(kernel: Kernel) -> None:
    for numbers in seccomp._FORBIDDEN.values():
        assert kernel.says(numbers[MACHINES.index(kernel.machine)]) == "EPERM"


@given(st.sampled_from(MACHINES), st.integers(0, 600), st.lists(st.integers(0, 2**64 - 1), max_size=6))
def test_nothing_that_is_not_on_a_list_is_refused(machine: str, number: int, arguments: list[int]) -> None:
    column = MACHINES.index(machine)
    looked_at = {
        numbers[column] for numbers in (*seccomp._FORBIDDEN.values(), *seccomp._OF_ANOTHER_PROCESS.values())
    }
    looked_at |= {numbers[column] for numbers in (*seccomp._TO_A_PROCESS.values(), seccomp._MKNOD)}
    looked_at |= {
        NUMBERS[call][column]
        for call in (
            "setpriority",
            "ioprio_set",
            "socket",
            "socketpair",
            "clone",
            "clone3",
            "mknodat",
            "fcntl",
        )
    }

    if number not in looked_at:
        assert Kernel(machine).says(number, *arguments) == "allow"


@pytest.mark.parametrize("call", OF_A_PROCESS)
@pytest.mark.parametrize("process", [1, 2, 0xFFFFFFFF, 1 | 7 << 32])
def test_limits_and_scheduling_of_another_process_are_refused(
    kernel: Kernel, call: str, process: int
) -> None:
    assert kernel.says(call, process, 5) == "EPERM"


@pytest.mark.parametrize("call", OF_A_PROCESS)
@pytest.mark.parametrize("oneself", [0, 7 << 32])
def test_limits_and_scheduling_of_oneself_are_allowed(kernel: Kernel, call: str, oneself: int) -> None:
    """A process is an int: of a register the kernel looks at the lower half."""
    assert kernel.says(call, oneself, 1) == "allow"


@pytest.mark.parametrize(
    ("which", "whom", "answer"),
    [
        (0, 0, "allow"),  # PRIO_PROCESS, oneself
        (0, 1, "EPERM"),
        (1, 0, "allow"),  # PRIO_PGRP, one's own group
        (1, 1, "EPERM"),
        (2, 0, "EPERM"),  # PRIO_USER, all of a user
        (2, 20001, "EPERM"),
        (7 << 32, 0, "allow"),
        (0xFFFFFFFF, 0, "EPERM"),
    ],
)
def test_priorities_are_ones_own(kernel: Kernel, which: int, whom: int, answer: str) -> None:
    assert kernel.says("setpriority", which, whom, 19) == answer


@pytest.mark.parametrize(
    ("which", "whom", "answer"),
    [
        (1, 0, "allow"),  # IOPRIO_WHO_PROCESS
        (1, 1, "EPERM"),
        (2, 0, "allow"),  # IOPRIO_WHO_PGRP
        (2, 1, "EPERM"),
        (3, 0, "EPERM"),  # IOPRIO_WHO_USER
        (3, 20001, "EPERM"),
    ],
)
def test_priorities_at_the_disk_are_ones_own(kernel: Kernel, which: int, whom: int, answer: str) -> None:
    assert kernel.says("ioprio_set", which, whom, 0) == answer


@pytest.mark.parametrize(
    "call", ["kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_open"]
)
def test_process_1_gets_no_signals(kernel: Kernel, call: str) -> None:
    assert kernel.says(call, 1, 1, 9) == "EPERM"
    assert kernel.says(call, 1 | 7 << 32, 0) == "EPERM"
    for other in (0, 2, 4711, 0xFFFFFFFF, 0xFFFFFFFE):
        assert kernel.says(call, other, 1, 1) == "allow"


@pytest.mark.parametrize(("mode", "answer"), [(0o020666, "EPERM"), (0o060600, "EPERM"), (0o010600, "allow")])
def test_devices_are_not_made(kernel: Kernel, mode: int, answer: str) -> None:
    assert kernel.says("mknodat", 3, 0, mode, 0) == answer
    assert kernel.says("mknodat", 3, 0, 0o100644, 0) == "allow"


def test_no_signal_is_chosen_for_the_owner_of_a_descriptor(kernel: Kernel) -> None:
    assert kernel.says("fcntl", 3, 10, 9) == "EPERM"
    assert kernel.says("fcntl", 3, 8, 1) == "allow"


@pytest.mark.parametrize("call", ["socket", "socketpair"])
@pytest.mark.parametrize("family", range(64))
def test_sockets_are_local_or_of_the_internet(kernel: Kernel, call: str, family: int) -> None:
    unix, inet, inet6 = 1, 2, 10

    assert kernel.says(call, family) == ("allow" if family in {unix, inet, inet6} else "EAFNOSUPPORT")
    assert kernel.says(call, family | 7 << 32) == kernel.says(call, family)


@pytest.mark.parametrize("flags", [FORK, THREAD, 0x11, 0x4111])
def test_processes_and_threads_are_allowed(kernel: Kernel, flags: int) -> None:
    assert kernel.says("clone", flags) == "allow"


@pytest.mark.parametrize("flag", CLONE_NEW.values(), ids=CLONE_NEW.keys())
def test_namespaces_are_refused(kernel: Kernel, flag: int) -> None:
    for flags in (flag, flag | 0x11, flag | FORK, flag | 7 << 32):
        assert kernel.says("clone", flags) == "EPERM"


def test_who_asks_for_clone3_is_sent_to_clone(kernel: Kernel) -> None:
    assert kernel.says("clone3", 0x7FFF0000, 88) == "ENOSYS"


@pytest.mark.parametrize("number", [0x40000000, 0x40000000 + 101, 0x40000000 + 520, 0xFFFFFFFF, -1])
def test_calls_of_x32_are_not_there(number: int) -> None:
    assert Kernel(X86_64).says(number) == "ENOSYS"


@pytest.mark.parametrize("audit", [AUDIT_I386, AUDIT_ARM, 0, 0xFFFFFFFF])
@pytest.mark.parametrize("number", [0, 26, 101, 0x40000000])
def test_calls_of_another_architecture_end_the_process(kernel: Kernel, audit: int, number: int) -> None:
    assert kernel.says(number, audit=audit) == "kill"


def test_each_machine_refuses_the_calls_of_the_other() -> None:
    assert Kernel(X86_64).says("read", audit=AUDIT[AARCH64]) == "kill"
    assert Kernel(AARCH64).says("read", audit=AUDIT[X86_64]) == "kill"


def test_a_machine_whose_numbers_are_not_known_gets_no_filter() -> None:
    with pytest.raises(ValueError, match="not in"):
        program("riscv64")
