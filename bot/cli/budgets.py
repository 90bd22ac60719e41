"""The policy and the budgets that the settings ask for."""

from bot.admission import Admission
from bot.budgets import Budgets, zone
from bot.config import Settings
from bot.store.budgets import Accounts
from bot.store.store import Store
from bot.store.switches import Switches


def budgets_of(settings: Settings, store: Store) -> Budgets:
    accounts, switches = Accounts(store.database), Switches(store.database)
    return Budgets(accounts, switches, settings.budgets, zone(settings.time_zone))


def admission_of(settings: Settings, store: Store) -> Admission:
    """For adapters: who may, and how much."""
    return Admission(settings.allow, Switches(store.database), budgets_of(settings, store), store.audit)
