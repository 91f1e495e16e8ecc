"""From two runs to a deviation report, and from the report to what people and programs read."""
