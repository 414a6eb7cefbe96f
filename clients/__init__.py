"""Relying parties: who may ask for tokens, and what each one registered.

Owns the clients, their secrets and what may be registered. Knows nothing of people, pages, tokens or signing keys.
`idp` gives it a session, a clock and a way to record events; it never commits.
"""
