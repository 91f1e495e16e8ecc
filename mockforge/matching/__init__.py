"""Is this request this stub's, and how far off is it."""
