"""Files that a platform takes only in fewer bytes."""

import hashlib
import random
import zipfile
from pathlib import Path

import pytest

from bot.execution import Artifact
from bot.fitting import Fitting
from bot.store.store import Store
from tests.sandbox.conftest import THREAD, Deployment

pytestmark = pytest.mark.docker

LIMIT_BYTES = 100_000


async def fitted(tmp_path: Path, content: bytes) -> Artifact | None:
    path = tmp_path / "made.csv"
    path.write_bytes(content)
    artifact = Artifact("made.csv", "text/csv", len(content), hashlib.sha256(content).hexdigest(), path)
    deployment = Deployment(tmp_path / "data")
    async with deployment.opened() as sandbox, Store.opened(deployment.data_dir) as store:
        made = await Fitting(store, sandbox, seconds=30)(artifact, LIMIT_BYTES, THREAD)

    assert deployment.containers() == []
    return made


async def test_a_file_comes_zipped_where_that_is_small_enough(tmp_path: Path) -> None:
    content = b"month,revenue\n" * 100_000
    made = await fitted(tmp_path, content)

    assert made
    assert (made.name, made.size_bytes <= LIMIT_BYTES) == ("made.csv.zip", True)
    with zipfile.ZipFile(made.path) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {"made.csv": content}


async def test_what_zipping_does_not_make_small_enough_stays_as_it_is(tmp_path: Path) -> None:
    assert await fitted(tmp_path, random.Random(1).randbytes(2 * LIMIT_BYTES)) is None
