"""The commands of `plotline`, a module each; with `bot.__main__` the only ones that know all parts."""
