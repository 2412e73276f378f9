"""How alerts leave the house: what is said, how often, to which addresses, by webhook and by mail. Nothing is kept."""
