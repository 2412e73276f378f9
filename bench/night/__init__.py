"""The night's benches: all Ontario's positions of one midnight, and one store with months behind it."""
