"""What outlives a process: threads, turns and their steps, what was said, who may do what, and what it cost.

One schema and one code for SQLite, which is embedded, and Postgres. Files are not here: see `bot.blobs`.
"""
