"""Following a recut: what became of the old picture in the new one, and a session that goes with it."""
