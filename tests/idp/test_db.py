"""The database handle: what holds on both databases."""

from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp.oidc.models import UsedAssertion
from idp.oidc.replay import first_use


def test_a_savepoint_that_comes_first_commits_nothing_by_itself(engine: Engine) -> None:
    with Session(engine) as session:
        assert first_use(session, "iss\0jti", 1)
        session.rollback()
    with Session(engine) as session:
        assert session.scalars(select(UsedAssertion.digest)).all() == []


def test_a_refused_insert_in_a_savepoint_leaves_the_rest_of_the_transaction(engine: Engine) -> None:
    with Session(engine) as session:
        assert first_use(session, "iss\0one", 1)
        assert not first_use(session, "iss\0one", 1)
        assert first_use(session, "iss\0two", 1)
        session.commit()
    with Session(engine) as session:
        assert len(session.scalars(select(UsedAssertion.digest)).all()) == 2


def test_foreign_keys_are_enforced(engine: Engine) -> None:
    from idp.oidc.models import Token

    with Session(engine) as session:
        try:
            session.execute(
                insert(Token).values(
                    id="t", grant_id="none", scope="", issued_at=0, access_digest=b"x" * 32, access_expires_at=0
                )
            )
        except IntegrityError:
            return
    raise AssertionError("a token without its grant was kept")
