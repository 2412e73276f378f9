"""What every bench stands on: a started stack, a retailer that both sides know, and a POS's transactions."""
