"""Openings: what a store was counted to hold at an instant, uploaded over HTTP or sent by a POS."""
