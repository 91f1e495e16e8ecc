"""The commands, one module each; what belongs together is wired here."""
