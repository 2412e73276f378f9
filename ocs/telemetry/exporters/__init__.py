"""Where spans and metrics can go; each module is imported only where the environment asks for it."""
