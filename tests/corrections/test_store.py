"""The store, in SQLite and PostgreSQL alike: what is added stays, what is deleted or too old goes, limits hold."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import create_engine, text

from inkdigit.corrections.records import NewCorrection
from inkdigit.corrections.store import LimitError, Limits, Store
from inkdigit.errors import DataError

from ..pictures import encoded, seven

SEVEN = NewCorrection("digit", "7", "1", "inkdigit", "0.1.0", encoded(seven(24)), 0.9)
ROOMY = Limits(days=30, count=10_000, per_minute=10_000)


@contextmanager
def opened(url: str) -> Iterator[Store]:
    store = Store(url)
    yield store
    store.close()


def move_back(url: str, time: timedelta) -> None:
    """Make all corrections older."""
    engine = create_engine(url)
    with engine.begin() as connection:
        created = datetime.now(UTC).replace(tzinfo=None) - time
        connection.execute(text("UPDATE corrections SET created = :created"), {"created": created})
    engine.dispose()


def test_what_is_added_stays_and_its_sender_can_delete_it(url: str) -> None:
    before = datetime.now(UTC)
    with opened(url) as store:
        first = store.add(SEVEN, ROOMY)
        second = store.add(replace(SEVEN, task="number", label="6 1/2", answer="6 4/2"), ROOMY)
    with opened(url) as store:
        kept = store.all()
        assert [each.id for each in kept] == [first.id, second.id]
        assert NewCorrection(*(getattr(kept[0], name) for name in vars(SEVEN))) == SEVEN
        assert [(each.label, each.picture) for each in store.all(pictures=False)] == [("7", b""), ("6 1/2", b"")]
        assert before <= kept[0].created <= datetime.now(UTC)
        assert not store.withdraw(first.id, second.secret)
        assert not store.withdraw("no such id", first.secret)
        assert not store.withdraw("\0", first.secret)
        assert not store.withdraw(first.id, "\udcff")
        assert store.count() == 2
        assert store.withdraw(first.id, first.secret)
        assert not store.withdraw(first.id, first.secret)
        assert store.delete(second.id)
        assert not store.delete(second.id)
        assert store.count() == 0


def test_limits_refuse_what_is_too_much(url: str) -> None:
    with opened(url) as store:
        store.add(SEVEN, ROOMY)
        store.add(SEVEN, ROOMY)
        for limits, code in (
            (replace(ROOMY, count=2), "corrections_full"),
            (replace(ROOMY, per_minute=2), "too_many_corrections"),
        ):
            with pytest.raises(LimitError) as refused:
                store.add(SEVEN, limits)
            assert refused.value.code == code
        move_back(url, timedelta(minutes=2))
        store.add(SEVEN, replace(ROOMY, per_minute=1))
        assert store.count() == 3


def test_what_is_too_old_is_deleted(url: str) -> None:
    with opened(url) as store:
        store.add(SEVEN, ROOMY)
        move_back(url, timedelta(days=29))
        assert store.purge(30) == 0
        store.add(SEVEN, ROOMY)
        assert store.count() == 2
        move_back(url, timedelta(days=31))
        store.add(SEVEN, ROOMY)
        assert store.count() == 1
        move_back(url, timedelta(days=31))
        assert store.purge(30) == 1


WRITER = """
import sys
from dataclasses import replace
from inkdigit.corrections.records import NewCorrection
from inkdigit.corrections.store import Limits, Store
store = Store(sys.argv[1])
for number in range(25):
    store.add(NewCorrection("digit", "7", "1", sys.argv[2], "1", bytes(2000), 0.5), Limits(30, 10_000, 10_000))
"""


def test_processes_write_and_migrate_at_once(url: str) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, url, str(number)]) for number in range(2)]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    with opened(url) as store:
        assert sorted(each.model for each in store.all()) == ["0"] * 25 + ["1"] * 25


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("corrections.db", "no URL such as sqlite:///corrections.db"),
        ("mysql://me@localhost/x", "sqlite or postgresql, not in mysql"),
        ("postgresql+nodriver://me@localhost/x", "driver of postgresql"),
        ("sqlite:////no/such/folder/corrections.db", "unable to open database file"),
        ("postgresql://me:opensesame@127.0.0.1:1/x", "me:***@127.0.0.1:1"),
    ],
)
def test_a_store_that_cannot_be_used_is_refused_in_one_sentence(url: str, words: str) -> None:
    with pytest.raises(DataError, match=words.replace("*", r"\*")) as refused:
        Store(url)
    assert "opensesame" not in str(refused.value)
