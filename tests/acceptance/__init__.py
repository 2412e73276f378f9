"""The whole, through the functions host, against the regulator stand-in, by behaviour."""
