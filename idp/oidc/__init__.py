"""The protocol: OpenID Connect and OAuth 2.0 for relying parties.

Owns requests, codes, tokens and what we sign. Asks the gate at every issuance and trusts no page before it.
Knows the people's rooms; they never know it.
"""
