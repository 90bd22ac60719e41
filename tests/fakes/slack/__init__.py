"""Slack on loopback: its Web API, files, Socket Mode and signed HTTP requests, with its limits and its refusals."""
