"""Inventory levels: what each store holds of each item, by quantity and by value at cost."""
