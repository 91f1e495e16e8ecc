"""Numbers in, numbers out: quantiles, sketches, two-sample distances. Knows nothing of HTTP or files."""
