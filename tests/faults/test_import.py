"""A row of an import, killed everywhere: account, password, organisation and two sends, or nothing."""

import itertools
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from stdnum import luhn

from idp.accounts.models import Account, Password
from idp.accounts.organisations import Organisation
from idp.audit import AuditEvent
from idp.db import db
from idp.delivery.models import OutboxRow
from tests.faults.everywhere import Trial, killed_everywhere
from tests.faults.executioner import Executioner
from tests.idp.provider import Provider

COLUMNS = "reference;type;raison_sociale;siret;departement;email"
_numbers = itertools.count(1)


def siret(number: int) -> str:
    """A SIRET that passes its checks, made from `number`."""
    siren = f"{number:08}"
    start = siren + luhn.calc_check_digit(siren) + "0001"
    return start + luhn.calc_check_digit(start)


@pytest.mark.timeout(900)
@pytest.mark.security("F-17")
def test_a_row_is_imported_whole_or_not_at_all_and_once_by_a_second_run(
    provider: Provider, executioner: Executioner, announce: Any, tmp_path: Path
) -> None:
    points = killed_everywhere(provider, executioner, lambda: row(provider, executioner, tmp_path))
    assert any("INSERT INTO organisations" in point for point in points)
    announce("one import row", points)


def row(provider: Provider, executioner: Executioner, folder: Path) -> Trial:
    """The first row of an organisation: it makes that too."""
    number = next(_numbers)
    reference, of_company = f"kill-{number}", siret(number)
    file = folder / f"{number}.csv"
    file.write_text(
        f"{COLUMNS}\n{reference};moral;Société {number};{of_company};26;k{number}@bailleur.example\n", encoding="utf-8"
    )
    order = {"work": "import", "file": str(file), "report": str(folder / f"{number}.report.csv")}

    def whole() -> None:
        with provider.transaction():
            ids = db.session.scalars(select(Account.id).where(Account.reference == reference)).all()
            assert len(ids) == 1
            assert names(Password.kind, Password.account_id == ids[0]) == ["provisional"]
            assert names(Organisation.name, Organisation.siret == of_company) == [f"Société {number}"]
            sends = OutboxRow.account_id == ids[0]
            assert names(OutboxRow.kind, sends, OutboxRow.sealed.is_not(None)) == ["identifiant", "mot-de-passe"]
            assert names(AuditEvent.event, AuditEvent.account_id == ids[0]).count("account.created") == 1

    def again(_committed: bool) -> None:
        executioner.run(order)
        assert Path(order["report"]).read_text(encoding="utf-8").count(reference) == 1

    return Trial(order, whole, again)


def names(column: Any, *conditions: Any) -> list[str]:
    """The values of a column, in order."""
    return sorted(db.session.scalars(select(column).where(*conditions)))
