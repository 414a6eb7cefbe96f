"""The provider: people, pages and protocol.

Knows the three rooms (`consent`, `clients`, `keys`), which know nobody. Each floor in here only looks down:
see `docs/architecture.md`.
"""
