"""NumPy arrays, pandas series and Arrow arrays, in and out. Import it where the library is installed.

Each function sends the texts over one stream and gives a row for each, in their order. Where a text failed, or is
missing, `label` and `score` are missing and `error` says why; a failed text does not fail the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterable, Iterator

from .client import VerdictClient
from .errors import VerdictError

if TYPE_CHECKING:
    import numpy
    import pandas
    import pyarrow

#: label, score, error
Row = tuple[str | None, float | None, str | None]

_MISSING = "the text is missing"


def classify_numpy(client: VerdictClient, texts: numpy.ndarray[Any, Any], **options: Any) -> numpy.ndarray[Any, Any]:
    """A structured array of the shape of `texts` with the fields `label`, `score` (NaN where missing) and `error`.

    `options`: those of `VerdictClient.classify_stream`.
    """
    import numpy

    rows = _rows(client, (_text(value) for value in texts.flat), options)
    fields = numpy.dtype([("label", object), ("score", numpy.float32), ("error", object)])
    found = numpy.empty(texts.size, fields)
    for at, (label, score, error) in enumerate(rows):
        found[at] = (label, numpy.nan if score is None else score, error)
    return found.reshape(texts.shape)


def classify_pandas(client: VerdictClient, texts: pandas.Series[Any], **options: Any) -> pandas.DataFrame:
    """A frame with the index of `texts` and the columns `label`, `score` and `error`.

    `options`: those of `VerdictClient.classify_stream`.
    """
    import pandas

    rows = _rows(client, (_text(value) for value in texts), options)
    frame = pandas.DataFrame(list(rows), index=texts.index, columns=["label", "score", "error"])
    return frame.astype({"score": "float32"})


def classify_arrow(
    client: VerdictClient, texts: pyarrow.Array | pyarrow.ChunkedArray, **options: Any
) -> pyarrow.Table:
    """A table with the columns `label`, `score` and `error`, a row for each text.

    `options`: those of `VerdictClient.classify_stream`.
    """
    import pyarrow

    rows = list(_rows(client, (value.as_py() for value in texts), options))
    fields = {"label": pyarrow.string(), "score": pyarrow.float32(), "error": pyarrow.string()}
    columns = [
        pyarrow.array([row[at] for row in rows], kind) for at, kind in enumerate(fields.values())
    ]
    return pyarrow.table(columns, names=list(fields))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _rows(client: VerdictClient, texts: Iterable[str | None], options: dict[str, Any]) -> Iterator[Row]:
    """The rows in the order of the texts. A missing text is not sent: its row waits for those before it."""
    if "order" in options:
        raise VerdictError("INVALID_ARGUMENT", "order: rows come in the order of the texts", reason="CLIENT_ARGUMENT")
    missing: set[int] = set()
    count = 0

    def present() -> Iterator[str]:
        nonlocal count
        for at, text in enumerate(texts):
            if text is None:
                missing.add(at)
            else:
                yield text
            count = at + 1

    at = 0
    for result in client.classify_stream(present(), **options):
        while at in missing:
            missing.discard(at)
            yield None, None, _MISSING
            at += 1
        at += 1
        if result.classification is not None:
            yield result.classification.label, result.classification.score, None
        else:
            yield None, None, str(result.error)
    while at < count:
        yield None, None, _MISSING
        at += 1
