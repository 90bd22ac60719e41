"""Places where people talk: each turns its own events into messages and posts outputs back."""
