"""Everything that changes while a service runs: turns, the journal, the metrics."""
