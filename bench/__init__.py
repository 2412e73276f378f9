"""Benches of the whole app on the local stack; ratios are taken within one run, and no time is ever asserted."""
