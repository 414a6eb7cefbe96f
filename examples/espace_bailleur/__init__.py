"""« Espace bailleur »: a small, real relying party of Mon Compte Partenaire.

Owns its pages, its sessions and what it keeps of the person who arrived. It knows the provider by its issuer
alone, through OpenID Connect: it imports nothing of the provider, and any service can start from a copy of it.
"""
