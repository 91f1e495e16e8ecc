"""Templates in responses: compiled when stubs are loaded, rendered against each request, sandboxed."""
