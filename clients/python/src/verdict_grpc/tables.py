"""NumPy arrays, pandas series and Arrow arrays, in and out. Import it where the library is installed.

Each function sends the texts over one stream and gives a row for each, in their order. Where a text failed, or is
missing, `label` and `score` are missing and `error` says why; a failed text does not fail the others. None, NaN and
pandas.NA are missing texts; other values that are no texts are not sent either.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Iterable, Iterator, TypedDict

from ._convert import stream_request
from .aio import AsyncVerdictClient
from .client import VerdictClient
from .errors import VerdictError, invalid_argument
from .types import ClassifyOptions

if TYPE_CHECKING:
    import numpy
    import pandas
    import pyarrow
    from typing_extensions import Unpack

#: label, score, error
Row = tuple[str | None, float | None, str | None]

_MISSING = "the text is missing"


class StreamArguments(TypedDict, total=False):
    """Those of `VerdictClient.classify_stream`, without `order`: rows come in the order of the texts."""

    model: str
    version: str
    options: ClassifyOptions | None
    window: int
    timeout: float | None
    request_id: str | None
    routing_key: str | None


def classify_numpy(
    client: VerdictClient, texts: numpy.ndarray[Any, Any], **arguments: Unpack[StreamArguments]
) -> numpy.ndarray[Any, Any]:
    """A structured array of the shape of `texts` with the fields `label`, `score` (NaN where missing) and `error`.

    `arguments`: those of `VerdictClient.classify_stream`.
    """
    import numpy

    rows = _rows(client, _python_values(texts.flat), arguments)
    fields = numpy.dtype([("label", object), ("score", numpy.float32), ("error", object)])
    found = numpy.empty(texts.size, fields)
    for at, (label, score, error) in enumerate(rows):
        found[at] = (label, numpy.nan if score is None else score, error)
    return found.reshape(texts.shape)


def classify_pandas(
    client: VerdictClient, texts: pandas.Series[Any], **arguments: Unpack[StreamArguments]
) -> pandas.DataFrame:
    """A frame with the index of `texts` and the columns `label`, `score` and `error`.

    `arguments`: those of `VerdictClient.classify_stream`.
    """
    import pandas

    rows = _rows(client, _python_values(texts), arguments)
    frame = pandas.DataFrame(list(rows), index=texts.index, columns=["label", "score", "error"])
    return frame.astype({"score": "float32"})


def classify_arrow(
    client: VerdictClient,
    texts: pyarrow.Array | pyarrow.ChunkedArray,
    **arguments: Unpack[StreamArguments],
) -> pyarrow.Table:
    """A table with the columns `label`, `score` and `error`, a row for each text.

    `arguments`: those of `VerdictClient.classify_stream`.
    """
    import pyarrow

    rows = list(_rows(client, (value.as_py() for value in texts), arguments))
    fields = {"label": pyarrow.string(), "score": pyarrow.float32(), "error": pyarrow.string()}
    columns = [
        pyarrow.array([row[at] for row in rows], kind) for at, kind in enumerate(fields.values())
    ]
    return pyarrow.table(columns, names=list(fields))


def _python_values(values: Iterable[Any]) -> Iterator[Any]:
    """The values as Arrow gives them too: NumPy has types of its own for numbers, texts and bytes."""
    import numpy

    for value in values:
        yield value.item() if isinstance(value, numpy.generic) else value


def _is_missing(value: Any) -> bool:
    if value is None or (isinstance(value, float) and value != value):
        return True
    # A value of pandas' can only be here if something has imported pandas.
    pandas = sys.modules.get("pandas")
    return pandas is not None and (value is pandas.NA or value is pandas.NaT)


def _why_not_sent(value: Any) -> str | None:
    """None for a text that can be sent."""
    if _is_missing(value):
        return _MISSING
    if not isinstance(value, str):
        return str(invalid_argument(f"a text must be a str, not {type(value).__name__}"))
    try:
        stream_request(value, "", "")
    except VerdictError as error:
        return str(error)
    return None


def _rows(client: VerdictClient, texts: Iterable[Any], arguments: StreamArguments) -> Iterator[Row]:
    """The rows in the order of the texts. The row of a value that is not sent waits for those before it."""
    if isinstance(client, AsyncVerdictClient):
        raise invalid_argument("tables need a VerdictClient, not an AsyncVerdictClient")
    if "order" in arguments:
        raise invalid_argument("order: rows come in the order of the texts")
    unsent: dict[int, str] = {}
    count = 0

    def present() -> Iterator[str]:
        nonlocal count
        for at, text in enumerate(texts):
            reason = _why_not_sent(text)
            if reason is None:
                yield text
            else:
                unsent[at] = reason
            count = at + 1

    at = 0
    for result in client.classify_stream(present(), **arguments):
        while at in unsent:
            yield None, None, unsent.pop(at)
            at += 1
        at += 1
        if result.classification is not None:
            yield result.classification.label, result.classification.score, None
        else:
            yield None, None, str(result.error)
    while at < count:
        yield None, None, unsent.pop(at)
        at += 1
