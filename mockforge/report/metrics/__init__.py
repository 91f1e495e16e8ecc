"""The numbers of a report, a file a family: what each says of one run, with its interval."""
