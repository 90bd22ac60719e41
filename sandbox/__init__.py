"""Containers that run code. Provides the `Sandbox` port; knows nothing of chat or models."""
