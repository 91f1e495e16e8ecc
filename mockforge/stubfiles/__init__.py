"""Stub files on disk: read with every problem named by its place, written to be edited."""
