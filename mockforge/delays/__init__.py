"""When an answer is due: the law of its delay, sampled with an injected, seeded generator."""
