"""Replaying a recording against a target, open loop: on schedule, whatever the answers do."""
