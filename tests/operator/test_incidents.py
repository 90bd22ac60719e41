"""What only an operator can mend reaches them once, whoever and however many run into it."""

import errno
import time

import pytest
from sqlalchemy import update

from bot.errors import (
    BotError,
    LimitReached,
    ModelMisconfigured,
    ModelQuotaExhausted,
    ModelUnavailable,
    PlatformUnavailable,
    SandboxNotReady,
    StoreUnavailable,
)
from bot.incidents import Incident, Incidents, incident_of
from bot.store.database import Database
from bot.store.store import Store
from bot.store.tables import incidents

CHANNEL = "slack:T1/C9"


class Channel:
    def __init__(self, *, refuses: int = 0) -> None:
        self.posts: list[tuple[str, str]] = []
        self.refuses = refuses

    async def announce(self, channel: str, text: str) -> None:
        if self.refuses:
            self.refuses -= 1
            raise PlatformUnavailable("500")
        self.posts.append((channel, text))


def watching(store: Store, channel: Channel, database: Database | None = None) -> Incidents:
    """As one process does."""
    return Incidents(
        database or store.database,
        CHANNEL,
        endpoint="api.openai.com",
        announcers={"slack:": channel.announce},
    )


async def test_a_bad_key_is_told_once_by_whichever_process_meets_it_first(store: Store) -> None:
    channel = Channel()
    for watcher in (watching(store, channel), watching(store, channel)):
        for _ in range(3):
            await watcher.noticed(ModelMisconfigured("401 for sk-secret"))

    ((where, text),) = channel.posts
    assert where == CHANNEL
    assert "api.openai.com" in text
    assert "sk-secret" not in text


async def test_different_incidents_are_told_each(store: Store) -> None:
    channel = Channel()
    watcher = watching(store, channel)
    for error in (ModelQuotaExhausted("429"), SandboxNotReady("no"), OSError(errno.ENOSPC, "full")):
        await watcher.noticed(error)
    await watcher.began(Incident.FILES, "all", limit="5 GB")
    await watcher.began(Incident.FILES, "thread x", limit="1 GB")

    assert len(channel.posts) == 5


async def test_what_works_again_and_breaks_again_is_told_again(store: Store) -> None:
    channel = Channel()
    await watching(store, channel).noticed(SandboxNotReady("no"))
    # Another process finds out that it works.
    await watching(store, channel).works(Incident.ENGINE)
    await watching(store, channel).noticed(SandboxNotReady("no"))

    assert len(channel.posts) == 2


async def test_what_works_ends_no_other_incident(store: Store) -> None:
    channel = Channel()
    watcher = watching(store, channel)
    await watcher.noticed(ModelQuotaExhausted("429"))
    await watcher.works(Incident.ENGINE)
    await watching(store, channel).noticed(ModelQuotaExhausted("429"))

    assert len(channel.posts) == 1


async def test_after_hours_without_it_it_is_a_new_one(store: Store) -> None:
    channel = Channel()
    await watching(store, channel).noticed(SandboxNotReady("no"))
    await store.database.write(lambda c: c.execute(update(incidents).values(last_at=time.time() - 7 * 3600)))
    await watching(store, channel).noticed(SandboxNotReady("no"))

    assert len(channel.posts) == 2


async def test_what_could_not_be_told_is_told_by_the_next_who_meets_it(store: Store) -> None:
    channel = Channel(refuses=1)
    await watching(store, channel).noticed(SandboxNotReady("no"))
    assert channel.posts == []

    await watching(store, channel).noticed(SandboxNotReady("no"))
    assert len(channel.posts) == 1


async def test_without_anybody_who_can_post_the_log_has_it(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    await Incidents(store.database, CHANNEL).noticed(SandboxNotReady("no"))
    await Incidents(store.database).began(Incident.DISK)

    assert "incident.began" in capsys.readouterr().out


async def test_it_is_told_also_where_nothing_can_be_written_down(store: Store) -> None:
    class Gone(Database):
        def __init__(self) -> None:
            pass

        async def write(self, work: object) -> object:  # type: ignore[override]
            raise StoreUnavailable("database or disk is full")

    channel = Channel()
    watcher = watching(store, channel, Gone())
    for _ in range(2):
        await watcher.noticed(StoreUnavailable("database or disk is full"))

    ((_, text),) = channel.posts
    assert "disk" in text


@pytest.mark.parametrize(
    ("error", "incident"),
    [
        (ModelMisconfigured("x"), Incident.MODEL_KEY),
        (ModelQuotaExhausted("x"), Incident.MODEL_QUOTA),
        (SandboxNotReady("x"), Incident.ENGINE),
        (StoreUnavailable("connection refused"), Incident.STORE),
        (StoreUnavailable("database or disk is full"), Incident.DISK),
        (OSError(errno.ENOSPC, "No space left on device"), Incident.DISK),
        (ModelUnavailable("503"), None),
        (LimitReached("x"), None),
        (BotError("x"), None),
        (ValueError("x"), None),
    ],
)
def test_only_what_an_operator_can_mend_is_an_incident(
    error: BaseException, incident: Incident | None
) -> None:
    assert incident_of(error) is incident
