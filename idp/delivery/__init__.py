"""Mails and letters: what is sent, what waits, and how it leaves.

Owns the mailings, the sealed outbox and the channels. Owns neither accounts nor secrets: it is handed both.
"""
