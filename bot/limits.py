"""Every bound the bot keeps, in one place, with its unit in its name."""

from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveFloat, PositiveInt

MIB = 1024**2


class Limits(BaseModel):
    """Defaults for a machine with 4 GB of memory or more; `for_memory` gives those for a smaller one."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    rounds: PositiveInt = 16
    """Model calls for one message."""
    cells: PositiveInt = 24
    """Cells for one message."""
    code_seconds: PositiveFloat = 300
    """All cells of one message together."""
    cell_seconds: PositiveFloat = 60
    """One cell."""
    model_seconds: PositiveFloat = 900
    """All model calls of one message together: a model on a CPU may take minutes to its first token."""
    turn_tokens: PositiveInt = 400_000
    """Input and output of all model calls of one message."""
    turn_output_bytes: PositiveInt = 100 * MIB
    """All files that one message may bring back."""

    attachment_bytes: PositiveInt = 50 * MIB
    """One file taken from a message."""
    attachments: PositiveInt = 10
    """Files taken from one message."""
    artifact_bytes: PositiveInt = 25 * MIB
    """One file posted."""
    artifacts: PositiveInt = 20
    """Files posted for one message."""

    pictures: PositiveInt = 8
    """Images in one model request; older ones become a sentence."""
    picture_side: PositiveInt = 1024
    """Longest side, in pixels, of an image that the model looks at."""

    memory_bytes: PositiveInt = 1024 * MIB
    """Of one container, its workspace included."""
    workspace_bytes: PositiveInt = 256 * MIB
    """All files of one thread. It is memory: keep it at a quarter of `memory_bytes` or less."""
    workspace_files: PositiveInt = 20_000
    """Files and directories of one thread."""
    packages_bytes: PositiveInt = 256 * MIB
    """Packages that code installs in one thread, where it may. It is memory, and comes on top of `memory_bytes`."""
    processes: PositiveInt = 128
    """Processes and threads of one container."""
    cpus: PositiveFloat = 1.0
    """Processor cores of one container."""
    idle_seconds: PositiveFloat = 600
    """A container that hears no bot for so long ends by itself."""
    session_seconds: PositiveFloat = 1800
    """A session that nobody has used for so long is saved, and its container closed."""
    sessions: PositiveInt = 20
    """Containers alive at once: unless set, one for each 150 MB of `sandboxes_bytes`, at most 100."""
    sandboxes_bytes: PositiveInt = 3072 * MIB
    """Memory of all containers together, by what each says it uses: unless set, three quarters of the machine's."""
    approval_seconds: PositiveFloat = 86_400
    """A question to people about a host: then it counts as denied."""
    wait_seconds: PositiveFloat = 300
    """For a container, where all places are taken."""
    turns: PositiveInt = 8
    """Questions that one worker is at, at once."""
    turns_user: PositiveInt = 2
    """Of them, of one person."""
    turns_everywhere: PositiveInt = 200
    """By all workers together."""
    warm: NonNegativeInt = 1
    """Containers kept ready for the next new thread by a long-running bot."""


def for_memory(machine_bytes: int) -> Limits:
    """Defaults that fit the machine: about a quarter of its memory at most for one container."""
    sandboxes_bytes = machine_bytes * 3 // 4
    if machine_bytes >= 4000 * MIB:
        sessions = max(2, min(100, sandboxes_bytes // (150 * MIB)))
        return Limits(sessions=sessions, sandboxes_bytes=sandboxes_bytes)
    return Limits(
        sandboxes_bytes=sandboxes_bytes,
        memory_bytes=512 * MIB,
        workspace_bytes=128 * MIB,
        attachment_bytes=25 * MIB,
        sessions=2,
        warm=0,
    )
