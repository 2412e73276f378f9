"""Who calls: staff by the tokens of their sign-in and their grants here, POS systems by the keys of their tenant."""
