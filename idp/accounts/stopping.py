"""What is announced when an account stops being what it was: whoever gave something on its word takes it back."""

from blinker import Signal

account_stopped = Signal()
"""Sent in the transaction that makes it true. `account_id`; `because`: locked, suspended, closed or password."""
