#!/usr/bin/env python3
# summary: machines of acme, a cloud that is a folder of this machine
"""A provider of machines (docs/providers.md). Standard library only."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any, NoReturn

CLOUD = Path(os.environ.get("ACME_CLOUD") or Path.home() / ".acme")
TEXT: dict[str, Any] = {"type": "string"}
WORD = {**TEXT, "x-positional": True, "x-kind": "host"}
ONE = {"type": "object", "properties": {"ref": WORD, "_job": TEXT, "_hosts": {"type": "object"}}}
SIZES = ["small", "large"]
PICK = {
    "type": "object",
    "required": ["host"],
    "properties": {"host": WORD, "size": {**TEXT, "enum": SIZES}, "_job": TEXT},
}
SCHEMA = {
    "name": "acme",
    "summary": "Machines of acme",
    "provides": ["hosts"],
    "commands": {
        "list": {"summary": "List the machines", "params": {"type": "object", "properties": {}}},
        "bill": {"summary": "Say what they cost now", "params": {"type": "object", "properties": {}}},
        "pick": {"summary": "Rent one", "ensures": True, "fills": "host", "rents": True, "params": PICK},
        "resolve": {"summary": "Say how one is reached", "params": ONE},
        "start": {"summary": "Start one", "ensures": True, "rents": True, "params": ONE},
        "stop": {"summary": "Stop one", "ensures": True, "releases": "billing", "params": ONE},
        "destroy": {"summary": "Give one back", "ensures": True, "releases": "disk", "params": ONE},
    },
}
Machine = dict[str, Any]
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def fail(status: int, code: str, message: str, **data: Any) -> NoReturn:
    """End with an error document."""
    print(json.dumps({"error": {"code": code, "message": message, "exit": status, "data": data}}), file=sys.stderr)
    sys.exit(status)


def progress(done: int, total: int) -> None:
    """Report progress to the person who waits."""
    if events := os.environ.get("TRAINSH_EVENTS"):
        os.write(int(events), json.dumps({"event": "progress", "done": done, "total": total}).encode() + b"\n")


def machines() -> list[Machine]:
    """All machines."""
    return [json.loads(file.read_text()) for file in sorted(CLOUD.glob("*.json"))]


def save(machine: Machine, **changes: Any) -> Machine:
    """Apply `changes` to a machine and write the machine's file."""
    machine = {**machine, **changes}
    aside = CLOUD / f"{machine['id']}.{os.getpid()}"
    aside.write_text(json.dumps(machine))
    aside.replace(CLOUD / f"{machine['id']}.json")
    return machine


def bill() -> dict[str, Any]:
    """What the machines cost an hour now. The cost of the month is not known."""
    now = [
        {**row, "per_hour": "0" if row["state"] == "stopped" else str(row["price_per_hour"])} for row in machines()
    ]
    return {"now": now, "month": None}


def mine(ref: str, job: str, hosts: Machine) -> list[Machine]:
    """The machines to which `ref` refers. It is an id, a host, or empty.

    For a host, these are the machines that the job rented for it, else the machine that `hosts` has. If `ref` is
    empty, they are all machines of the job.
    """
    ref = ref.removeprefix("acme:")
    found = [
        row for row in machines()
        if row["id"] == ref or row["label"] == f"{job}/{ref}" or (job and not ref and row["job"] == job)
    ]  # fmt: skip
    spec = hosts.get(ref)
    spec = spec.get("name") if isinstance(spec, dict) else spec
    return found or [row for row in machines() if spec == f"acme:{row['id']}"]


def rent(job: str, host: str, size: str) -> Machine:
    """Rent at most one machine. Under a lock, look for the label and then create.

    A signal must wait until both are done.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
    label = f"{job}/{host}"
    with (CLOUD / f".{label.replace('/', '_')}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = [row for row in machines() if row["label"] == label]
        if not found:
            # the time that the cloud takes to create a machine
            time.sleep(float(os.environ.get("ACME_SECONDS", "1")))
            number_of_it = uuid.uuid4().hex[:6]
            row = {"id": number_of_it, "label": label, "job": job, "gpu": size, "price_per_hour": 0.1}
            found = [save(row, state="starting", end=f"train acme stop {number_of_it}")]
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)  # a signal that came in the meantime ends the program here
    return found[0]


def pick(host: str, size: str, job: str) -> dict[str, Any]:
    """Rent a machine for a host of the job. If the host has one already, answer with that."""
    if not host:
        fail(2, "usage", "pick for which host?")
    if not size and not mine(host, job, {}):
        words = ["train", "ask", "choose", "Which size?", *SIZES, "--default", "small", "--flag", "size=NAME"]
        asked = subprocess.run([*words, "--json"], stdout=subprocess.PIPE, check=False)
        if asked.returncode:
            sys.exit(asked.returncode)  # train ask has printed the reason
        size = json.loads(asked.stdout)
    machine = rent(job, host, size)
    for done in (1, 2, 3):  # this wait is outside of the lock, so that a cancel can end it
        progress(done, 3)
        time.sleep(0.2)
    machine = save(machine, state="running")
    return {"hosts": {host: f"acme:{machine['id']}"}, "instance": machine, "message": machine["id"]}


def change(verb: str, ref: str, job: str, hosts: Machine) -> dict[str, Any]:
    """Start, stop, destroy or resolve machines."""
    found = mine(ref, job, hosts)
    if not found:
        fail(3, "no_instance", f"no such machine: {ref or 'the job holds none'}", gone=True)
    if verb == "resolve":
        row = found[0]
        return {"name": f"acme:{row['id']}", "kind": "local", "rented": True, "machine": row["id"]}
    for row in found:
        if verb == "destroy":
            (CLOUD / f"{row['id']}.json").unlink()
        else:
            save(row, state="running" if verb == "start" else "stopped")
    return {"message": f"{verb}: {', '.join(row['id'] for row in found)}"}


def main(verb: str = "--help", *words: str) -> None:
    """Run one command. Its parameters are arguments, or a document on standard input."""
    CLOUD.mkdir(parents=True, exist_ok=True)
    if words[:1] == ("--input",):
        given = json.loads(sys.stdin.read() or "{}")
    else:
        given = {"ref": "".join(words[:1]), "host": "".join(words[:1])}
    ref, job = str(given.get("ref") or ""), str(given.get("_job") or "")
    if verb in ("-h", "--help"):
        print("usage: train acme list | pick HOST | start ID | stop ID | destroy ID | resolve ID")
    elif verb == "--version":
        print("train-acme 1")
    elif verb == "schema":
        print(json.dumps(SCHEMA))
    elif verb == "list":
        print(json.dumps(machines()))
    elif verb == "bill":
        print(json.dumps(bill()))
    elif verb == "pick":
        print(json.dumps(pick(str(given.get("host") or ""), str(given.get("size") or ""), job)))
    elif verb in ("start", "stop", "destroy", "resolve"):
        print(json.dumps(change(verb, ref, job, given.get("_hosts") or {})))
    else:
        fail(2, "usage", f"no such command: {verb}")


if __name__ == "__main__":
    main(*sys.argv[1:])
