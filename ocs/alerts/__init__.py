"""Alerts: what staff must know, one open per store and cause."""
