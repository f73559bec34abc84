"""The programs that are compared: each module imports only what its own contender needs."""
