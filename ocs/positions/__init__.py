"""Inventory positions: what each store held at the end of each business day, frozen, sent and kept."""
