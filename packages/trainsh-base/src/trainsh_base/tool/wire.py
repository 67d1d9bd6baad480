"""JSON as it leaves the process: one encoder for every face, in which secrets are masked."""

from typing import Any, NoReturn

import msgspec

from trainsh_base.system.secret import Secret


def _refuse(value: object) -> NoReturn:
    raise NotImplementedError(type(value))


def _hook(value: object) -> str:
    return str(value) if isinstance(value, Secret) else _refuse(value)


_ENCODER = msgspec.json.Encoder(enc_hook=_hook)


def encode(value: Any) -> bytes:
    """A JSON document on one line; TypeError or NotImplementedError for what JSON has no form for.

    A file name or word that is not UTF-8 is shown with escapes, since JSON has no form for its bytes.
    """
    try:
        return _ENCODER.encode(value)
    except UnicodeEncodeError:
        return _ENCODER.encode(_escaped(msgspec.to_builtins(value, enc_hook=_hook)))


def encode_text(value: Any) -> str:
    """`encode` as text for standard output: what a terminal would obey in it is escaped."""
    from trainsh_base.system.printable import json_text  # noqa: PLC0415 - `serve` does without

    return json_text(encode(value).decode())


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        return _shown(value)
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    if isinstance(value, dict):
        return {_escaped(key): _escaped(item) for key, item in value.items()}
    return value


def _shown(text: str) -> str:
    try:
        return text.encode(errors="surrogateescape").decode(errors="backslashreplace")
    except UnicodeEncodeError:  # half a pair that stands for no byte
        return text.encode(errors="backslashreplace").decode()
