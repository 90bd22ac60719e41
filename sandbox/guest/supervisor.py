"""Process 1: hears the host, keeps the kernel, and holds every cell to its time and measure.

Code in the kernel is hostile and has our own user id. It cannot touch this process (`processes.make_untouchable`,
`seccomp`), so what is said here of outcomes, limits and files is true; what a cell says of itself is not.
"""

import os
import secrets
import select
import signal
import time
from collections.abc import Callable

from sandbox.guest import processes, said
from sandbox.guest.cell import BEGIN_SECONDS, GRACE_SECONDS, Cell, Remembered
from sandbox.guest.job_process import JobProcess
from sandbox.guest.kernel_process import KernelProcess
from sandbox.guest.link import Link
from sandbox.guest.relay import Relay
from sandbox.guest.transfers import Transfers
from sandbox.guest.workspace import Workspace
from sandbox.wire import Frame, WireError

STOP_SECONDS = 5.0
"""After so long without anything to do, the kernel and its children are stopped: idle sessions use no processor."""
LEFT_BEHIND = 32
"""Processes that a cell may leave running; of more, none is left."""
STILLBORN_KERNELS = 3
"""In a row: then this box is of no use to anybody."""
LONGEST_SECONDS = 24 * 3600.0


class Supervisor:
    def __init__(self, link: Link, workspace: Workspace, idle_seconds: float, relay: Relay | None) -> None:
        """`relay` is the way out, where there is one."""
        self._link = link
        self._workspace = workspace
        self._idle_seconds = idle_seconds
        self._relay = relay
        self._boot = secrets.token_hex(8)
        self._remembered = Remembered()
        self._transfers = Transfers(workspace, link)
        self._cell: Cell | None = None
        self._job: JobProcess | None = None
        self._lost: list[str] | None = None
        """Names that went with kernels since a `done` last said so."""
        self._kernels = 0
        self._stillborn = 0
        self._busy_at = time.monotonic()
        self._is_stopped = False
        self._woken = _wake_on_children()
        self._kernel = self._new_kernel()

    def run(self) -> None:
        """Until no host has been heard for `idle_seconds`."""
        while (
            time.monotonic() - self._link.heard_at < self._idle_seconds
            and self._stillborn < STILLBORN_KERNELS
        ):
            ready = self._wait()
            if self._link.out.descriptor in ready:
                self._link.out.flush()
            if self._woken in ready:
                self._look_after_children()
            if self._kernel.output in ready or self._kernel.control in ready:
                with self._link.out.together():
                    self._hear_kernel()
            if self._job and self._job.output in ready:
                self._job.read()
            if self._link.reading in ready:
                for frame, payload in self._link.receive():
                    self._do(frame, payload)
            if self._relay:
                self._relay.go_on(ready)
            self._kernel.to_kernel.flush()
            self._transfers.go_on()
            self._keep_time()

    def _wait(self) -> set[int]:
        poll = select.poll()
        poll.register(self._woken, select.POLLIN)
        if not self._link.has_ended:
            poll.register(self._link.reading, select.POLLIN)
        if self._relay:
            self._relay.register(poll)
        if self._link.out.is_waiting:
            poll.register(self._link.out.descriptor, select.POLLOUT)
        if not self._link.out.is_full:
            # Between cells nothing is read of what threads go on writing: it comes with the next one.
            if self._cell and not self._cell.text_seconds_left:
                poll.register(self._kernel.output, select.POLLIN)
            poll.register(
                self._kernel.control,
                select.POLLIN | (select.POLLOUT if self._kernel.to_kernel.is_waiting else 0),
            )
            if self._job:
                poll.register(self._job.output, select.POLLIN)
        return {descriptor for descriptor, _ in poll.poll(self._most_seconds() * 1000)}

    def _most_seconds(self) -> float:
        """Until something is due."""
        now = time.monotonic()
        due = [self._link.heard_at + self._idle_seconds - now]
        if self._cell:
            due.append(self._cell.seconds_left)
            if text := self._cell.text_seconds_left:
                due.append(text)
        if self._job:
            due.append(self._job.seconds_left)
        if not (self._cell or self._job or self._is_stopped):
            due.append(self._busy_at + STOP_SECONDS - now)
        if (unfinished := self._link.unfinished_seconds_left) is not None:
            due.append(unfinished)
        if self._transfers.can_go_on:
            due.append(0)
        return max(0.0, min(due))

    def _keep_time(self) -> None:
        now = time.monotonic()
        if self._link.unfinished_seconds_left == 0:
            self._link.drop_unfinished()
        if self._job and not self._job.seconds_left and not self._job.status:
            self._job.kill("timed_out")
        if self._cell and self._cell.is_late_to_begin:
            if self._kernel.has_begun:
                self._cell.request = None
            else:
                self._begin_in_new_kernel()
        if self._cell and not self._cell.seconds_left:
            if self._cell.kill_at:
                self._kill_cell()
            else:
                self._stop_cell("timed_out")
        if not (self._cell or self._job or self._is_stopped) and now - self._busy_at > STOP_SECONDS:
            processes.stop_all()
            self._is_stopped = True

    # What the host asks for

    def _do(self, frame: Frame, payload: bytes) -> None:
        operation = _OPERATIONS.get(str(frame.get("op")))
        if operation:
            operation(self, frame, payload)

    def _attach(self, frame: Frame, _payload: bytes) -> None:
        nonce = str(frame.get("nonce"))
        if frame["epoch"] < self._link.epoch:
            self._link.send({"ev": "refused", "nonce": nonce, "epoch": self._link.epoch})
            return
        # What an earlier owner has begun and not finished is of no use to this one.
        self._transfers.drop()
        if self._relay:
            self._relay.drop()
        self._link.send(
            {
                "ev": "attached",
                "nonce": nonce,
                "epoch": self._link.epoch,
                "boot": self._boot,
                "kernel": self._kernel.number if self._kernel.is_up else None,
                "running": self._cell.id if self._cell else None,
                "remembered": self._remembered.names,
            }
        )

    def _ping(self, frame: Frame, _payload: bytes) -> None:
        self._link.send({"ev": "pong", "id": frame.get("id")})

    def _exec(self, frame: Frame, payload: bytes) -> None:
        cell = str(frame.get("cell"))
        if self._remembered.was_started(cell):
            self._recall(frame, payload)
        elif self._cell:
            self._link.send({"ev": "busy", "cell": cell})
        else:
            self._wake_up()
            # First: the kernel begins while we write down what it does.
            request = {"op": "exec", "cell": cell, "kind": frame.get("kind")}, payload
            self._kernel.request(*request)
            self._remembered.start(cell)
            seconds = min(LONGEST_SECONDS, float(frame.get("seconds", 0)))
            self._cell = Cell(cell, time.monotonic() + seconds, processes.oom_kills(), request)

    def _recall(self, frame: Frame, _payload: bytes) -> None:
        cell = str(frame.get("cell"))
        if self._cell and self._cell.id == cell:
            for data in self._cell.frames:
                self._link.out.send(data)
            return
        frames = self._remembered.frames(cell)
        for data in frames or ():
            self._link.out.send(data)
        if frames is None:
            was_run = self._remembered.was_started(cell)
            self._link.send({"ev": "unknown", "cell": cell, "was_run": was_run})

    def _interrupt(self, _frame: Frame, _payload: bytes) -> None:
        if self._cell and not self._cell.stopped_for:
            self._stop_cell("interrupted")

    def _reset(self, _frame: Frame, _payload: bytes) -> None:
        if self._cell:
            self._cell.stopped_for = self._cell.stopped_for or "interrupted"
            self._kill_cell()
        else:
            self._lost = self._lost_with(self._replace_kernel())

    def _start_job(self, frame: Frame, payload: bytes) -> None:
        if self._job:
            detail = "another job is being done"
            self._link.send({"ev": "job_done", "id": frame.get("id"), "status": "failed", "detail": detail})
            return
        self._wake_up()
        job = JobProcess(
            id=frame["id"],
            name=str(frame.get("name")),
            args=frame.get("args") or {},
            payload=payload,
            deadline=time.monotonic() + float(frame.get("seconds", 0)),
            max_bytes=int(frame.get("max_bytes", 0)),
        )
        try:
            job.start()
        except OSError as error:
            detail = f"no process could be started: {error.strerror}"
            self._link.send({"ev": "job_done", "id": frame["id"], "status": "failed", "detail": detail})
        else:
            self._job = job

    def _net(self, frame: Frame, payload: bytes) -> None:
        if self._relay:
            self._relay.do(frame, payload)

    def _files(self, frame: Frame, payload: bytes) -> None:
        self._transfers.do(frame, payload)

    # What the kernel says, and what becomes of it

    def _new_kernel(self) -> KernelProcess:
        self._kernels += 1
        return KernelProcess(self._kernels)

    def _hear_kernel(self) -> None:
        try:
            for frame, payload in self._kernel.received():
                # What was written before this was said comes first; with its end, all text of a cell ends.
                is_last = frame.get("ev") == "done"
                self._take(self._kernel.written() if is_last else self._written_before(frame))
                self._heard(frame, payload)
        except WireError:
            # What follows is as for any other end: its parent is told by a signal.
            self._kernel.cut_off()
        if self._cell:
            self._take(self._kernel.written_so_far())

    def _heard(self, frame: Frame, payload: bytes) -> None:
        cell = self._cell
        if frame.get("ev") == "up" and not self._kernel.is_up:
            self._kernel.is_up = True
            self._stillborn = 0
            self._link.send({"ev": "ready", "boot": self._boot, "kernel": self._kernel.number})
        # What it says of another cell is left from there, or made up.
        if cell is None or frame.get("cell") != cell.id:
            return
        data = None
        match frame.get("ev"):
            case "done":
                self._kernel.names = said.names(frame.get("names"))
                self._end_cell(self._outcome_of(frame), not_kept=said.names(frame.get("not_kept")))
            case "display":
                data = cell.display(said.display(frame, payload), payload)
            case "error":
                data = cell.error(said.error(frame))
            case "clear":
                data = cell.clear(said.clear(frame))
            case _:
                pass
        if data:
            self._link.out.send(data)

    def _outcome_of(self, frame: Frame) -> str:
        assert self._cell  # noqa: S101  # the caller has looked
        if self._cell.stopped_for:
            return self._cell.stopped_for
        if frame.get("ok") is True:
            return "ok"
        return "out_of_memory" if frame.get("memory_error") is True else "raised"

    def _written_before(self, frame: Frame) -> bytes:
        return self._kernel.written_before(frame.get("mark"))

    def _take(self, written: bytes) -> None:
        if written and self._cell and (data := self._cell.text(written)):
            self._link.out.send(data)

    def _stop_cell(self, why: str) -> None:
        assert self._cell  # noqa: S101  # the caller has looked
        self._cell.stopped_for = why
        self._cell.kill_at = time.monotonic() + GRACE_SECONDS
        self._kernel.interrupt()

    def _kill_cell(self) -> None:
        assert self._cell  # noqa: S101  # the caller has looked
        lost = self._replace_kernel()
        self._end_cell(self._cell.stopped_for or "interrupted", lost=lost)

    def _begin_in_new_kernel(self) -> None:
        """The one that is there has not even begun: it is busy with something that an earlier cell has left."""
        assert self._cell  # noqa: S101  # the caller has looked
        late = self._kernel
        lost = self._replace_kernel()
        if late.has_begun or self._cell.request is None:
            # It did at the last moment, and nothing runs twice.
            self._end_cell("died", why="it was ended while it began", lost=lost)
            return
        self._lost = self._lost_with(lost)
        self._cell.begin_by = time.monotonic() + BEGIN_SECONDS
        self._kernel.request(*self._cell.request)

    def _replace_kernel(self) -> list[str]:
        """Ends every process, and starts a new kernel. The names of variables that are gone."""
        lost = self._kernel.names
        statuses = processes.kill_all()
        if self._job:
            self._finish_job(statuses)
        self._take_last_words()
        self._take(self._kernel.written())
        self._kernel.close()
        self._stillborn += not self._kernel.is_up
        self._kernel = self._new_kernel()
        self._is_stopped = False
        return lost

    def _end_cell(
        self,
        status: str,
        *,
        why: str | None = None,
        lost: list[str] | None = None,
        not_kept: list[str] | None = None,
    ) -> None:
        cell = self._cell
        assert cell  # noqa: S101  # the caller has looked
        seconds = cell.seconds
        killed, lost_too = self._clear_away()
        lost = self._lost_with(lost, lost_too)
        for data in (cell.last_text(), cell.last_error()):
            if data:
                self._link.out.send(data)
        done = {
            "ev": "done",
            "cell": cell.id,
            "status": status,
            "why": why,
            "seconds": round(seconds, 6),
            "kernel": self._kernel.number,
            "names": self._kernel.names,
            "lost": lost,
            "not_kept": not_kept or [],
            "cut": {"text": cell.cut_bytes, "displays": cell.cut_displays},
            "killed": killed,
            "oom_kills": processes.oom_kills() - cell.oom_kills,
            "memory": processes.memory_bytes(),
            "files": self._workspace.changes(),
        }
        self._link.send(done)
        self._remembered.keep(cell, done)
        self._cell = None
        self._busy_at = time.monotonic()

    def _clear_away(self) -> tuple[int, list[str] | None]:
        """How many processes of a cell were ended because it left too many; names that went with the kernel."""
        mine = {self._kernel.pid} | ({self._job.pid} if self._job else set())
        left = processes.others(mine)
        killed = len(left) if len(left) > LEFT_BEHIND else 0
        is_clear = not killed or processes.kill_others(mine)
        if is_clear and not processes.is_crowded():
            return killed, None
        return max(killed, 1), self._replace_kernel()

    def _lost_with(self, *more: list[str] | None) -> list[str] | None:
        """All names that the next `done` has to name; None while every kernel lives."""
        lists = [names for names in (self._lost, *more) if names is not None]
        self._lost = None
        return list(dict.fromkeys(name for names in lists for name in names)) if lists else None

    def _look_after_children(self) -> None:
        _drain(self._woken)
        ended = dict(processes.reap())
        if self._job and self._job.pid in ended:
            self._finish_job(ended)
        if self._kernel.pid in ended:
            self._kernel_ended(ended[self._kernel.pid])

    def _kernel_ended(self, status: int) -> None:
        ended = self._kernel
        why = ended.ended_how(status)
        lost = self._replace_kernel()
        if self._cell is None:
            self._lost = self._lost_with(lost)
            self._link.send({"ev": "died", "why": why, "kernel": self._kernel.number, "lost": lost})
            return
        if self._cell.request and not ended.has_begun and not self._cell.stopped_for:
            # It was ending when it was asked, and has not taken up anything.
            self._lost = self._lost_with(lost)
            self._kernel.request(*self._cell.request)
            return
        no_memory = os.WIFSIGNALED(status) and processes.oom_kills() > self._cell.oom_kills
        outcome = "out_of_memory" if no_memory else "died"
        self._end_cell(self._cell.stopped_for or outcome, why=why, lost=lost)

    def _take_last_words(self) -> None:
        """What it said before it ended; its end itself is no news."""
        try:
            for frame, payload in self._kernel.received():
                self._take(self._written_before(frame))
                if frame.get("ev") != "done":
                    self._heard(frame, payload)
        except WireError:
            pass

    def _finish_job(self, ended: dict[int, int]) -> None:
        if self._job and self._job.pid in ended:
            frame, output = self._job.ended()
            self._link.send(frame, output)
            self._job = None
            self._busy_at = time.monotonic()

    def _wake_up(self) -> None:
        self._busy_at = time.monotonic()
        if self._is_stopped:
            processes.continue_all()
            self._is_stopped = False


_OPERATIONS: dict[str, Callable[[Supervisor, Frame, bytes], None]] = {
    "attach": Supervisor._attach,
    "ping": Supervisor._ping,
    "exec": Supervisor._exec,
    "recall": Supervisor._recall,
    "interrupt": Supervisor._interrupt,
    "reset": Supervisor._reset,
    "job": Supervisor._start_job,
    "net": Supervisor._net,
    **dict.fromkeys(("put", "put_data", "get", "list", "rename"), Supervisor._files),
}


def _wake_on_children() -> int:
    """A descriptor that becomes readable when a child has ended."""
    reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return reading


def _drain(descriptor: int) -> None:
    try:
        while os.read(descriptor, 4096):
            pass
    except BlockingIOError:
        pass
