"""All checks of a tool, in the order of the report."""

from collections.abc import Callable, Iterator
from functools import partial

import msgspec

from trainsh_base.errors import TrainError
from trainsh_base.request import current
from trainsh_plugin.check import calls, changes, rentals
from trainsh_plugin.check.subject import Subject
from trainsh_plugin.check.verdict import Broken, LeftOut
from trainsh_plugin.model import Report, Row

Check = tuple[str, Callable[[], str]]
RENTING: list[tuple[str, Callable[[rentals.Rentals], str]]] = [
    ("pick answers, list shows it", rentals.answers),
    ("progress", rentals.tells),
    ("a question", rentals.asks),
    ("asked twice", rentals.twice),
    ("resolve REF", rentals.resolves),
    ("ssh reaches it", rentals.reached),
    ("bill", rentals.bills),
    ("stop and start, list shows it", changes.restarts),
    ("the command in the row's end, then list", changes.ends),
    ("destroy, list shows it", changes.destroys),
    ("resolve of what is gone", changes.says_gone),
    # this check is here because no machine is left that `pick` could return
    ("a question to nobody", rentals.asks_nobody),
    ("runner killed, asked again", rentals.caller_killed),
    ("tool killed, asked again", rentals.tool_killed),
    ("cancel", rentals.cancelled),
    ("nothing is left", rentals.nothing_left),
]


def report(subject: Subject, rents: bool) -> Report:
    """Run every check, even if an earlier one has failed."""
    rows = list(_rows(subject, rents))
    return Report(name=subject.name, failed=sum(row.result == "failed" for row in rows), rows=rows)


def _rows(subject: Subject, rents: bool) -> Iterator[Row]:
    todo: list[Check] = [(words, partial(check, subject)) for words, check in calls.CHECKS]
    rented = rentals.Rentals(subject) if rents else None
    if rented:
        todo += [(words, partial(check, rented)) for words, check in RENTING]
    elif subject.provides:
        todo += [(words, _unwanted) for words, _check in RENTING]
    todo.append(("nothing secret is printed", partial(calls.nothing_secret, subject)))
    try:
        for number, (words, check) in enumerate(todo):
            current().emit("progress", done=number, total=len(todo), message=words)
            current().check()
            yield _row(words, check)
    except BaseException:
        for line in rented.leftovers.destroy() if rented else []:
            current().emit("log", message=line)
        raise


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
        return Row(check=words, result="failed", seen=f"the answer does not have the required form: {error}")
