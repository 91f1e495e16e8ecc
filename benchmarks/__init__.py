"""What MockForge costs and how late it is, measured beside other tools: `python -m benchmarks`."""
