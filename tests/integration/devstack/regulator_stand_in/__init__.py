"""Promises of the stand-in of the OCS Data Platform, over real HTTP to the real process."""
