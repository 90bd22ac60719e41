"""The same work done by other programs that run code in Docker: on the same engine, in the same run."""
