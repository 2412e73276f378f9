"""Parts with their real neighbours: Postgres, Azurite, the vault stand-in."""
