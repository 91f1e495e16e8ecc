"""Requests that the mock makes: what a stub passes on to an upstream, and callbacks."""
