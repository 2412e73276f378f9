"""Delivery: takes what the rooms put into the outbox to the regulator, once in effect and in order per store."""
