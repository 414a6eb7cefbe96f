"""Signing in and out, for people: the pages, the limits, who is here. Knows no protocol."""
