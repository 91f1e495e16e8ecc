"""From exchanges to a virtual service: operations, stubs, and when they answer."""
