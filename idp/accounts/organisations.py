"""The organisation of an account: one row for each SIRET. Who administers it is for the room `organisations`."""

import uuid

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from idp.db import Model


class Organisation(Model):
    """A legal entity. Without an administrator until the first of its people completes the first login.

    `administrator_account_id` has no foreign key: accounts already point here, and a circle cannot be created.
    """

    __tablename__ = "organisations"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=lambda: uuid.uuid4().hex)
    siret: Mapped[str] = mapped_column(String(14), unique=True)
    name: Mapped[str] = mapped_column(String(256))
    administrator_account_id: Mapped[str | None] = mapped_column(String(32), index=True)
    administrator_since: Mapped[int | None] = mapped_column(BigInteger)
