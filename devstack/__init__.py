"""The local stack: small stand-ins for the cloud services that the app runs on. None of it is the real thing.

Imports nothing of `ocs`, and `ocs` imports nothing of it.
"""
