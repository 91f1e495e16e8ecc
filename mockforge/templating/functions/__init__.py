"""Functions that templates can call, and use as filters; `table` lists them."""
