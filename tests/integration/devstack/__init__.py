"""The local stack against the real clients that use it."""
