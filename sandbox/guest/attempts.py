"""Ways out of a box, tried from within. Sent as a cell: standard library only, no imports of ours.

Each function yields what it could do and should not have been able to.
"""

import ctypes
import errno
import itertools
import json
import mmap
import os
import platform
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

Attempt = Callable[[], Iterator[str]]

COLUMN = 1 if platform.machine() == "aarch64" else 0
"""Of the pairs of numbers below: x86_64, aarch64."""
REFUSALS = {errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EAFNOSUPPORT}
"""Any other error says that the kernel has looked at what was asked."""
CONNECT_SECONDS = 0.5
HOME = Path("/workspace")
SECRETS = re.compile(r"KEY|TOKEN|SECRET|PASSW|OPENAI|SLACK|DISCORD|DOCKER|LIMITS__", re.IGNORECASE)

libc = ctypes.CDLL(None, use_errno=True)


def root() -> Iterator[str]:
    if 0 in {os.getuid(), os.geteuid(), os.getgid(), os.getegid(), *os.getgroups()}:
        yield "being root"
    status = dict(
        line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line
    )
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd"):
        if int(status.get(name, "0"), 16):
            yield name
    pr_get_no_new_privs, pr_get_seccomp, filtered = 39, 21, 2
    if libc.prctl(pr_get_no_new_privs, 0, 0, 0, 0) != 1:
        yield "gaining privileges from programs"
    if libc.prctl(pr_get_seccomp, 0, 0, 0, 0) != filtered:
        yield "all system calls"
    yield from _done("setuid", os.setuid, 0)
    yield from _done("setgroups", os.setgroups, [0])


def system() -> Iterator[str]:
    for place in (
        "/",
        "/usr",
        "/usr/bin",
        "/etc",
        "/opt",
        "/opt/plotline",
        "/opt/python",
        "/var",
        "/root",
        "/home",
        "/dev",
    ):
        if os.access(place, os.W_OK):
            yield place
    for place in (
        "/etc/passwd", "/etc/hosts", "/etc/resolv.conf", "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger",
        "/sys/kernel/uevent_helper", "/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max",
        "/sys/fs/cgroup/pids/pids.max", "/sys/fs/cgroup/release_agent", "/sys/fs/cgroup/memory/release_agent",
        "/sys/fs/cgroup/devices/devices.allow", "/proc/1/oom_score_adj",
    ):  # fmt: skip
        yield from _done(place, _open, place, os.O_WRONLY)
    for folder in ("/sys/fs/cgroup/x", "/sys/fs/cgroup/memory/x"):
        yield from _done(folder, os.mkdir, folder)


def process_1() -> Iterator[str]:
    for name in ("mem", "root", "cwd", "exe", "stack", "syscall", "task/1/mem", "map_files"):
        yield from _done(f"/proc/1/{name}", _open, f"/proc/1/{name}", os.O_RDONLY)
    one, buffer = ctypes.c_int(1), ctypes.create_string_buffer(64)
    for request in (0, 16, 0x4206):
        yield from _called(f"ptrace {request}", (101, 117), request, one, 0, 0)
    yield from _called("process_vm_readv", (310, 270), one, buffer, 1, buffer, 1, 0)
    yield from _called("process_vm_writev", (311, 271), one, buffer, 1, buffer, 1, 0)
    yield from _called("kcmp", (312, 272), one, os.getpid(), 0, 0, 0)
    yield from _called("pidfd_open", (434, 434), one, 0)
    yield from _called("process_madvise", (440, 440), 0, buffer, 1, 4, 0)
    # Those that end it come last.
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGSTOP, signal.SIGKILL):
        yield from _done(number.name, os.kill, 1, number)


def channel() -> Iterator[str]:
    """What process 1 and the bot say to each other."""
    for folder in ("/proc/1/fd", "/proc/1/task/1/fd"):
        for number, flags in itertools.product(range(300), (os.O_RDONLY, os.O_WRONLY)):
            yield from _done("descriptors of process 1", _open, f"{folder}/{number}", flags)
    for number in range(300):
        yield from _called("pidfd_getfd", (438, 438), 0, number, 0)


def priority() -> Iterator[str]:
    """Limits, scheduling and place of process 1."""
    low = ctypes.create_string_buffer((1).to_bytes(8, "little") * 2)
    for resource in range(16):
        yield from _called(f"prlimit {resource}", (302, 261), 1, resource, low, None)
    mask, scheduling = ctypes.create_string_buffer(b"\1", 128), ctypes.create_string_buffer(64)
    yield from _called("sched_setaffinity", (203, 122), 1, 128, mask)
    yield from _called("sched_setscheduler", (144, 119), 1, 5, scheduling)
    yield from _called("sched_setparam", (142, 118), 1, scheduling)
    yield from _called("sched_setattr", (314, 274), 1, scheduling, 0)
    for which, who in ((0, 1), (1, 1), (2, 0), (2, os.getuid())):
        yield from _called(f"setpriority {which} {who}", (141, 140), which, who, 19)
    for which, who in ((1, 1), (2, 1), (3, 0), (3, os.getuid())):
        yield from _called(f"ioprio_set {which} {who}", (251, 30), which, who, 3 << 13)
    yield from _called("migrate_pages", (256, 238), 1, 8, mask, mask)
    yield from _called("move_pages", (279, 239), 1, 0, None, None, None, 0)


def network() -> Iterator[str]:
    # Not from /sys, which newer versions of gVisor leave out.
    for line in Path("/proc/net/dev").read_text().splitlines():
        name, colon, _ = line.partition(":")
        if colon and name.strip() != "lo":
            yield name.strip()
    addresses = (
        "1.1.1.1", "8.8.8.8", "169.254.169.254", "100.100.100.200", "192.168.0.1", "10.0.0.1", "172.17.0.1",
        "172.17.0.2", "2606:4700:4700::1111", "fd00:ec2::254",
    )  # fmt: skip
    for address, port in itertools.product(addresses, (53, 80, 443)):
        yield from _connected(address, port)
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as made:
            yield from _done(f"{address} by UDP", made.sendto, b"x", (address, 53))
    for name in ("example.org", "metadata.google.internal", "host.docker.internal"):
        yield from _done(name, socket.getaddrinfo, name, 443)


def docker() -> Iterator[str]:
    for place in (
        "/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock", "/run/podman/podman.sock",
        f"/run/user/{os.getuid()}/docker.sock", "/var/run/crio/crio.sock",
    ):  # fmt: skip
        if os.path.lexists(place):
            yield place
    if "@" in Path("/proc/net/unix").read_text():
        yield "abstract sockets"
    for address, port in itertools.product(
        ("127.0.0.1", "172.17.0.1", "::1"), (2375, 2376, 4243, 8080, 10250)
    ):
        yield from _connected(address, port)


def sockets() -> Iterator[str]:
    families = {
        "netlink": 16, "packet": 17, "rds": 21, "bluetooth": 31, "can": 29, "tipc": 30, "alg": 38, "nfc": 39,
        "vsock": 40, "kcm": 41, "qipcrtr": 42, "smc": 43, "xdp": 44, "ax25": 3, "x25": 9, "appletalk": 5, "key": 15,
    }  # fmt: skip
    for (name, family), kind in itertools.product(families.items(), (1, 2, 3, 5)):
        yield from _done(name, _socket, family, kind, 0)
    for family in (socket.AF_INET, socket.AF_INET6):
        yield from _done("raw", _socket, family, socket.SOCK_RAW, 1)
    yield from _called("a pair of vsocks", (53, 199), 40, 1, 0, ctypes.create_string_buffer(8))


def kernel() -> Iterator[str]:
    buffer = ctypes.create_string_buffer(256)
    calls: dict[str, tuple[tuple[int, int], tuple[object, ...]]] = {
        "io_uring_setup": ((425, 425), (1, buffer)),
        "io_uring_enter": ((426, 426), (0, 0, 0, 0, None, 0)),
        "io_uring_register": ((427, 427), (0, 0, None, 0)),
        "bpf": ((321, 280), (0, buffer, 64)),
        "perf_event_open": ((298, 241), (buffer, 0, -1, -1, 0)),
        "userfaultfd": ((323, 282), (0,)),
        "keyctl": ((250, 219), (0, -3, 0)),
        "add_key": ((248, 217), (b"user", b"a", b"b", 1, -3)),
        "request_key": ((249, 218), (b"user", b"a", None, -3)),
        "init_module": ((175, 105), (buffer, 0, b"")),
        "finit_module": ((313, 273), (0, b"", 0)),
        "delete_module": ((176, 106), (b"x", 0)),
        "kexec_load": ((246, 104), (0, 0, None, 0)),
        "kexec_file_load": ((320, 294), (0, 0, 0, b"", 0)),
        "open_by_handle_at": ((304, 265), (0, buffer, 0)),
        "name_to_handle_at": ((303, 264), (-100, b"/", buffer, buffer, 0)),
        "syslog": ((103, 116), (3, buffer, 256)),
        "memfd_secret": ((447, 447), (0,)),
        "fanotify_init": ((300, 262), (0, 0)),
        "vmsplice": ((278, 75), (1, buffer, 0, 0)),
        "personality": ((135, 92), (0x0400000,)),
    }
    for name, (numbers, arguments) in calls.items():
        yield from _called(name, numbers, *arguments)


def mounts() -> Iterator[str]:
    namespaces = {
        "user": 0x1000_0000,
        "mount": 0x20000,
        "network": 0x4000_0000,
        "pid": 0x2000_0000,
        "uts": 0x400_0000,
    }
    for name, flag in namespaces.items():
        yield from _called(f"a {name} namespace", (272, 97), flag)
        # As a child of its own: it ends at once where it is made.
        child = libc.syscall((56, 220)[COLUMN], flag | signal.SIGCHLD, None, None, None, None)
        if child == 0:
            os._exit(0)
        if child > 0:
            os.waitpid(child, 0)
            yield f"a child in a {name} namespace"
    yield from _called("setns", (308, 268), 0, 0)
    yield from _called("mount", (165, 40), b"none", b"/tmp", b"tmpfs", 0, None)
    yield from _called("umount", (166, 39), b"/tmp", 2)
    yield from _called("pivot_root", (155, 41), b"/", b"/tmp")
    yield from _called("open_tree", (428, 428), -100, b"/", 1)
    yield from _called("move_mount", (429, 429), -100, b"/", -100, b"/tmp", 0)
    yield from _called("fsopen", (430, 430), b"tmpfs", 0)
    yield from _called("mount_setattr", (442, 442), -100, b"/", 0, None, 0)
    yield from _done("chroot", os.chroot, "/tmp")


def devices() -> Iterator[str]:
    for name, kind in (("memory", 0o020666), ("disk", 0o060666)):
        yield from _done(f"making a device of {name}", os.mknod, HOME / ".device", kind, os.makedev(1, 1))
    for place in (
        "/dev/mem",
        "/dev/kmem",
        "/dev/port",
        "/dev/kmsg",
        "/dev/kvm",
        "/dev/vhost-vsock",
        "/proc/kcore",
    ):
        yield from _done(place, _open, place, os.O_RDONLY)
    for each in Path("/dev").iterdir():
        if each.is_block_device():
            yield str(each)
    symbols = Path("/proc/kallsyms")
    if symbols.exists() and os.access(symbols, os.R_OK):
        with symbols.open() as lines:
            if any(int(line.split()[0], 16) for line in itertools.islice(lines, 1000)):
                yield "addresses in the kernel"


def secrets() -> Iterator[str]:
    places = [Path("/proc/self/environ"), Path("/proc/1/environ"), Path("/proc/1/cmdline")]
    said = [f"{name}={value}".encode() for name, value in os.environ.items()]
    for place in places:
        try:
            said += place.read_bytes().split(b"\0")
        except OSError:
            continue
    for line in said:
        name = line.decode("utf-8", "replace").partition("=")[0]
        if SECRETS.search(name):
            yield name
    for name in ("/run/secrets", "/workspace/.env", "/.env", "/opt/plotline/.env", "/root/.docker"):
        if os.path.lexists(name):
            yield name


def others() -> Iterator[str]:
    own = {1, os.getpid(), os.getppid()}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) not in own:
            yield f"process {entry}"
    for folder in ("/workspace", "/tmp", "/dev/shm", "/var/tmp", "/dev/mqueue"):
        for path in Path(folder).rglob("*") if Path(folder).is_dir() else ():
            if path.lstat().st_uid != os.getuid() or folder == "/workspace":
                yield str(path)


def machine() -> Iterator[str]:
    yield from _done("its name", socket.sethostname, "x")
    yield from _done("its clock", time.clock_settime, time.CLOCK_REALTIME, 0)
    buffer = ctypes.create_string_buffer(256)
    yield from _called("its power", (169, 142), 0, 0, 0, None)
    yield from _called("its swap", (167, 224), b"/tmp/x", 0)
    yield from _called("its accounts", (163, 89), None)
    yield from _called("its quotas", (179, 60), 0, b"/", 0, buffer)
    yield from _called("its ports", (173, -1), 0, 1, 1)


def segments() -> Iterator[str]:
    """What outlives the processes that made it."""
    yield from _called("shared memory", (29, 194), 0, 4096, 0o1600)
    yield from _called("queues", (68, 186), 0, 0o1600)
    yield from _called("semaphores", (64, 190), 0, 1, 0o1600)


def other_machines() -> Iterator[str]:
    """Calls of architectures whose numbers are others."""
    if platform.machine() != "x86_64":
        return
    x32_bit = 0x4000_0000
    yield from _called("x32", (x32_bit | 39, -1))
    yield from _called("clone3", (435, 435), ctypes.create_string_buffer(88), 88)
    child = os.fork()
    if child == 0:
        # getpid as i386 has it: mov eax, 20; int 0x80; ret.
        code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        code.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")
        pid = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()
        os._exit(42 if pid == os.getpid() else 0)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        yield "i386"


ATTEMPTS: dict[str, Attempt] = {
    "root": root,
    "system": system,
    "pid 1": process_1,
    "channel": channel,
    "priority": priority,
    "network": network,
    "docker": docker,
    "sockets": sockets,
    "kernel": kernel,
    "mounts": mounts,
    "devices": devices,
    "secrets": secrets,
    "others": others,
    "machine": machine,
    "segments": segments,
    "32 bit": other_machines,
}


def main(*names: str) -> None:
    """A line of JSON for each: its name and what was possible."""
    for name in names or ATTEMPTS:
        try:
            possible = sorted(set(ATTEMPTS[name]()))
        except Exception as error:  # what fails has not been tried
            possible = [f"not tried: {type(error).__name__}: {error}"]
        print(json.dumps({"attempt": name, "possible": possible}))


def _done(what: str, function: Callable[..., object], *arguments: object) -> Iterator[str]:
    try:
        function(*arguments)
    except (OSError, ValueError):
        return
    yield what


def _called(what: str, numbers: tuple[int, int], *arguments: object) -> Iterator[str]:
    number = numbers[COLUMN]
    if number < 0:
        return
    ctypes.set_errno(0)
    wide = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    if libc.syscall(ctypes.c_long(number), *wide) >= 0:
        yield what
    elif ctypes.get_errno() not in REFUSALS:
        yield f"{what} ({errno.errorcode.get(ctypes.get_errno())})"


def _open(place: str, flags: int) -> None:
    os.close(os.open(place, flags | os.O_NONBLOCK))


def _socket(family: int, kind: int, protocol: int) -> None:
    socket.socket(family, kind, protocol).close()


def _connected(address: str, port: int) -> Iterator[str]:
    try:
        socket.create_connection((address, port), CONNECT_SECONDS).close()
    except OSError:
        return
    yield f"{address} port {port}"
