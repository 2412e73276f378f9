"""Pure code: no network, no database, no clock."""
