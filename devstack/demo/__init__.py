"""The demo: a made-up retailer with three stores lives through a day, and every line of it is seen to arrive."""
