"""Plain frozen data that every other part speaks in; no behaviour, no I/O."""
