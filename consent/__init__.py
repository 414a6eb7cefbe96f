"""What a person must do before we vouch for them.

Owns the steps of the first login, the immutable versions of the texts, the proof of each acceptance, and the gate
that alone makes a `Clearance`. Owns neither accounts, passwords, mails nor sessions: `account.py` lists the ports
through which it is given them. Imports nothing of `idp`, `clients` or `keys`, and never commits.
"""
