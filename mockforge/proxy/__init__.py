"""The recording reverse proxy: traffic passes through untouched, and every exchange is told to a sink."""
