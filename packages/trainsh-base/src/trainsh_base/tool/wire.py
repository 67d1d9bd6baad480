"""Encodes outgoing JSON. All JSON that a tool prints or sends is made by this encoder, which masks secrets."""

from typing import Any, NoReturn

import msgspec

from trainsh_base.system.secret import Secret


def _refuse(value: object) -> NoReturn:
    raise NotImplementedError(type(value))


def _hook(value: object) -> str:
    return str(value) if isinstance(value, Secret) else _refuse(value)


_ENCODER = msgspec.json.Encoder(enc_hook=_hook)


def encode(value: Any) -> bytes:
    """Encode a JSON document on one line. Raises TypeError or NotImplementedError for unsupported values.

    A file name or argument that is not UTF-8 is written with escapes, because JSON cannot represent its bytes.
    """
    try:
        return _ENCODER.encode(value)
    except UnicodeEncodeError:
        return _ENCODER.encode(_escaped(msgspec.to_builtins(value, enc_hook=_hook)))


def encode_text(value: Any) -> str:
    """Encode a JSON document as text for stdout. Characters that a terminal would act on are escaped."""
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
    except UnicodeEncodeError:  # half of a surrogate pair, for which there are no bytes
        return text.encode(errors="backslashreplace").decode()
