"""Figures that the docs quote, each beside a reference measured in the same run: `make bench [ONLY=name]`."""
