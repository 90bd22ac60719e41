"""Code that means harm, in real containers: what it may not reach, and that nobody but itself is worse off for it."""
