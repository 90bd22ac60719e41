"""Sample files, and the demo that works on them."""
