"""All parts of a turn, as the settings ask for them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from bot import models
from bot.cli.budgets import admission_of, budgets_of
from bot.cli.ending import Code, Ended
from bot.cli.sandbox import open_sandbox
from bot.cli.store import open_store
from bot.config import Settings
from bot.engine import alive
from bot.incidents import Incident, Incidents
from bot.models.scripted import ScriptedModel
from bot.ports import Model, Sandbox
from bot.quotas import Quotas, Room
from bot.reach import Reach
from bot.sentences import size
from bot.store.store import Store
from bot.turn import Parts

NO_MODEL = (
    "No language model is configured: set OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own, in the "
    "environment or in .env; `plotline doctor` then checks it."
)


@asynccontextmanager
async def open_parts(settings: Settings) -> AsyncIterator[Parts]:
    async with (
        open_model(settings) as model,
        open_store(settings) as store,
        alive.working(settings.data_dir) as worker,
        AsyncExitStack() as stack,
    ):
        incidents = incidents_of(settings, store)
        room = room_of(settings, store, incidents)
        sandbox = await stack.enter_async_context(open_sandbox(settings, store, room))
        yield parts_of(settings, model, store, sandbox, worker, incidents, room)


def parts_of(  # noqa: PLR0913, PLR0917  # all that is opened
    settings: Settings,
    model: Model,
    store: Store,
    sandbox: Sandbox,
    worker: str,
    incidents: Incidents,
    room: Room,
) -> Parts:
    return Parts(
        model=model,
        sandbox=sandbox,
        store=store,
        worker=worker,
        limits=settings.limits,
        data=settings.model_data,
        contact=settings.operator_contact,
        endpoint=settings.endpoint_host,
        reach=Reach(
            tuple(entry.partition("=")[0] for entry in settings.network_entries), settings.sandbox_packages
        ),
        budgets=budgets_of(settings, store),
        admission=admission_of(settings, store),
        room=room,
        incidents=incidents,
        approvers=settings.network_approvals,
        retention_days=settings.retention_days,
    )


def incidents_of(settings: Settings, store: Store) -> Incidents:
    return Incidents(
        store.database,
        channel=settings.operator_channel,
        locale=settings.locale,
        endpoint=settings.endpoint_host,
    )


def room_of(settings: Settings, store: Store, incidents: Incidents) -> Room:
    quotas = Quotas(settings.quota_thread_bytes, settings.quota_user_bytes, settings.quota_total_bytes)

    async def tell(which: str, quota: int) -> None:
        await incidents.began(Incident.FILES, which, limit=size(settings.locale, quota))

    data_dir = None if settings.files_url else settings.data_dir
    return Room(store.files, quotas, settings.limits, data_dir, tell)


@asynccontextmanager
async def open_model(settings: Settings) -> AsyncIterator[Model]:
    if settings.model_script:
        yield ScriptedModel.load(settings.model_script)
        return
    if not settings.has_endpoint:
        raise Ended(Code.NOT_SET_UP, NO_MODEL)
    model = await models.connect(
        api_key=settings.openai_api_key.get_secret_value() if settings.openai_api_key else "",
        base_url=settings.openai_base_url,
        name=settings.model_name,
        api=settings.model_api,
        context_tokens=settings.model_context_tokens,
        images={"auto": None, "on": True, "off": False}[settings.model_images],
        effort=settings.model_effort,
        memory=settings.data_dir / "endpoints.json",
    )
    try:
        yield model
    finally:
        await model.close()
