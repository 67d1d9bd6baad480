"""All checks of a tool, in the order of the report."""

from collections.abc import Callable, Iterator
from functools import partial

import msgspec

from trainsh_base.errors import TrainError
from trainsh_base.request import current
from trainsh_plugin.check import calls, rentals
from trainsh_plugin.check.subject import Subject
from trainsh_plugin.check.verdict import Broken, LeftOut
from trainsh_plugin.model import Report, Row

Check = tuple[str, Callable[[], str]]


def report(subject: Subject, rents: bool) -> Report:
    """Run every check, also after one has failed."""
    rows = list(_rows(subject, rents))
    return Report(name=subject.name, failed=sum(row.result == "failed" for row in rows), rows=rows)


def _rows(subject: Subject, rents: bool) -> Iterator[Row]:
    todo: list[Check] = [(words, partial(check, subject)) for words, check in calls.CHECKS]
    if subject.provides:
        rented = rentals.Rentals(subject)
        todo += [(words, partial(check, rented) if rents else _unwanted) for words, check in rentals.CHECKS]
    todo.append(("nothing secret is printed", partial(calls.nothing_secret, subject)))
    for number, (words, check) in enumerate(todo):
        current().emit("progress", done=number, total=len(todo), message=words)
        current().check()
        yield _row(words, check)


def _unwanted() -> str:
    raise LeftOut("--no-rent")


def _row(words: str, check: Callable[[], str]) -> Row:
    try:
        return Row(check=words, result="ok", seen=check())
    except LeftOut as out:
        return Row(check=words, result="-", seen=str(out))
    except Broken as broken:
        return Row(check=words, result="failed", seen=str(broken))
    except TrainError as error:
        return Row(check=words, result="failed", seen=error.message)
    except (msgspec.ValidationError, OSError) as error:
        return Row(check=words, result="failed", seen=f"an answer of another form: {error}")
