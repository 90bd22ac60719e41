"""Who works on which turn, and when: one process with a file, or many with Postgres between them."""
