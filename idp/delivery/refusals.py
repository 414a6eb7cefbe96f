"""Why something cannot be sent. `str()` of each is one French sentence that says what to do, without any address."""


class RecipientRefused(Exception):
    """Nothing can be sent to this recipient."""


class AddressRefused(RecipientRefused):
    """No letter can bear this postal address."""


class NothingToRetry(Exception):
    """No failed row has this id."""
