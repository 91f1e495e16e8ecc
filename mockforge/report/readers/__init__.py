"""What load tools wrote, read as runs: one module a tool, found by content in `registry`."""
