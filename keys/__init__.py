"""Signing keys: making, sealing, publishing, rotating and revoking them, and signing with the current one.

Owns the private parts and the JWKS. Knows nothing of tokens, clients, people or settings: it is given a session, a
clock, the key-encryption keys and a way to record events; it never commits.
"""
