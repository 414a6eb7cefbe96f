"""Organisations (legal entities), and who administers each of them.

Owns the SIRET, the name, and the one atomic claim of the administrator's role. Does not own the people: an
account belongs to `accounts`, and names its organisation.
"""
