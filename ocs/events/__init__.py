"""Inventory events: transactions of a POS come in, are checked and numbered, and go out through delivery."""
