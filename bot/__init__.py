"""The core: takes a message, lets a model run code about it, posts outputs.

It knows no chat platform and no container engine; `bot.ports` says what it needs
from them, `adapters` and `sandbox` provide it, `bot.__main__` joins them.
Read `bot.intake` first.
"""
