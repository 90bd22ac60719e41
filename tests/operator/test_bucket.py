"""Files in an S3-compatible bucket: found by its address and the usual variables, spoken to by the real client."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from sqlalchemy import select

from bot import forgetting
from bot.cleaning import clean
from bot.errors import StoreUnavailable
from bot.store.store import Store
from bot.store.tables import seen
from bot.store.unneeded import UNNEEDED
from tests.store.filled import THREAD, asked_and_answered, doing
from tests.stores import prepare

KEYS = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key", "AWS_REGION": "eu-central-1"}


class Bucket:
    """As much of S3 as is used: objects by their keys."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.is_away = False

    async def handle(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=id/")
        bucket, _, key = request.path.lstrip("/").partition("/")
        assert bucket == "plotline"
        if self.is_away:
            return web.Response(status=503)
        match request.method:
            case "PUT":
                self.objects[key] = await request.read()
                return web.Response(headers={"ETag": '"1"'})
            case "POST" if "delete" in request.query:
                keys = re.findall("<Key>(.*?)</Key>", await request.text())
                gone = [
                    f"<Deleted><Key>{each}</Key></Deleted>" for each in keys if self.objects.pop(each, None)
                ]
                return web.Response(text=f"<DeleteResult>{''.join(gone)}</DeleteResult>")
            case _ if key in self.objects:
                headers = {"ETag": '"1"', "Last-Modified": "Mon, 02 Mar 2026 14:05:00 GMT"}
                return web.Response(body=self.objects[key], headers=headers)
            case _:
                return web.Response(status=404)


@pytest.fixture
async def bucket(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bucket]:
    there = Bucket()
    app = web.Application(client_max_size=2**30)
    app.router.add_route("*", "/{tail:.*}", there.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{runner.addresses[0][1]}")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    yield there
    await runner.cleanup()


async def test_any_machine_finds_what_another_one_has_added(bucket: Bucket, tmp_path: Path) -> None:
    async with Store.opened(prepare(tmp_path / "one"), files_url="s3://plotline") as one:
        sha256, _ = await one.blobs.add("slack:T1", b"1,2,3")
    assert list(bucket.objects.values()) == [b"1,2,3"]

    async with Store.opened(prepare(tmp_path / "other"), files_url="s3://plotline") as other:
        assert await other.blobs.size("slack:T1", sha256) == 5
        assert await other.blobs.read("slack:T1", sha256) == b"1,2,3"
        assert await other.blobs.read("slack:T1", "0" * 64) is None
        await other.blobs.remove("slack:T1", sha256)

    assert bucket.objects == {}


async def test_what_could_not_be_removed_in_time_goes_later_and_what_others_keep_there_stays(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = prepare(tmp_path), "", "s3://plotline"
    async with Store.opened(*files, patience_seconds=0.1) as store:
        turn = await asked_and_answered(store, "a", sales_csv=b"1,2,3")
        bucket.objects["slack-T1/" + "0" * 64] = b"of another bot"
        bucket.is_away = True
        with pytest.raises(StoreUnavailable):
            await forgetting.forget_thread(store, THREAD, "operator:test")
        bucket.is_away = False
        assert await store.blobs.read("slack:T1", turn.blobs["sales.csv"]) == b"1,2,3"

        await clean(store, 0)
        assert len(bucket.objects) > 1
        monkeypatch.setattr("bot.cleaning.ORPHAN_SECONDS", -1)
        await clean(store, 0)

        assert list(bucket.objects.values()) == [b"of another bot"]
        places = await store.database.read(lambda c: c.scalars(select(seen.c.place)))
        assert [place for place in places if place.startswith(UNNEEDED)] == []


async def test_what_a_session_names_no_more_leaves_the_bucket_unless_somebody_needs_it(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.cleaning.ORPHAN_SECONDS", -1)
    async with Store.opened(prepare(tmp_path), files_url="s3://plotline") as store:
        turn = await doing(store, "a")
        await turn.in_session({"old.csv": b"old", "kept.csv": b"kept", "twin.csv": b"kept"})
        await turn.in_session({"old.csv": b"new", "kept.csv": b"changed"})

        await clean(store, 0)

        assert set(bucket.objects.values()) == {b"new", b"changed", b"kept"}
