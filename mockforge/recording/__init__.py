"""Recordings: one SQLite file a run, written by one thread, readable while it grows."""
