"""Accounts: who they are, how they are made, and the secrets by which they sign in.

Owns accounts, identifiers, user numbers, passwords, the proof of a mail address, enrolment and the import.
Does not own the browser session, the limits on attempts, the sending, nor anything of the protocol.
"""
