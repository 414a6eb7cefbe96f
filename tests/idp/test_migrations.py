"""The schema's versions: what they make is what the models say, once, or not at all."""

from collections.abc import Iterator
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, event, inspect

from idp import migrations
from idp.db import all_metadata, engine_options


@pytest.fixture
def empty(database_url: str) -> Iterator[Engine]:
    engine = create_engine(database_url, **engine_options(database_url))
    yield engine
    engine.dispose()


def test_the_migrated_schema_is_that_of_the_models(empty: Engine) -> None:
    migrations.upgrade(empty)
    with empty.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        difference = compare_metadata(context, all_metadata())  # type: ignore[arg-type]  # alembic takes several
    assert difference == []


def test_no_table_stands_in_two_rooms() -> None:
    names = [name for metadata in all_metadata() for name in metadata.tables]
    assert len(names) == len(set(names))


def test_an_upgrade_tells_where_the_schema_stands_and_a_second_one_does_nothing(empty: Engine) -> None:
    before = migrations.status(empty)
    assert (before.version, before.empty, before.current) == (None, True, False)
    done = migrations.upgrade(empty)
    assert (done.version, done.empty, done.current) == (done.head, False, True)
    statements: list[str] = []
    event.listen(empty, "before_cursor_execute", lambda *a: statements.append(str(a[2])))
    assert migrations.upgrade(empty) == done
    assert not [statement for statement in statements if statement.startswith(("CREATE", "ALTER", "DROP", "INSERT"))]


@pytest.mark.security("F-28")
@pytest.mark.parametrize("survived", [1, 9, 25])
def test_an_upgrade_that_fails_half_way_leaves_nothing_and_the_next_one_finishes(empty: Engine, survived: int) -> None:
    seen = 0

    def fail(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        nonlocal seen
        seen += statement.lstrip().startswith("CREATE")
        if seen > survived:
            raise RuntimeError("killed here")

    event.listen(empty, "before_cursor_execute", fail)
    with pytest.raises(RuntimeError, match="killed here"):
        migrations.upgrade(empty)
    event.remove(empty, "before_cursor_execute", fail)
    assert inspect(empty).get_table_names() == []
    assert migrations.status(empty).empty
    assert migrations.upgrade(empty).current
