"""Reads sentences that people have rated from -4 (negative) to 4 (positive): the data of VADER (Hutto and Gilbert 2014).

They come in the source package of vaderSentiment on PyPI (MIT). Its film reviews are not read: SST-2's come from the same site, and
those of its test sets would be among them.
"""

import html
import io
import tarfile
from pathlib import Path
from typing import NamedTuple

PACKAGE = "vaderSentiment-3.3.2"
ARCHIVE = Path("build") / f"{PACKAGE}.tar.gz"
INNER = f"{PACKAGE}/additional_resources/hutto_ICWSM_2014.tar.gz"


class Rated(NamedTuple):
    text: str
    rating: float
    """The mean of 20 people."""


def read_rated(part: str) -> list[Rated]:
    """`part`: amazonReviewSnippets or tweets. In file order."""
    if not ARCHIVE.exists():
        command = f"pip download --no-deps --no-binary :all: {PACKAGE.replace('-', '==')} -d {ARCHIVE.parent}"
        raise SystemExit(f"{ARCHIVE} is not there: run\n    {command}")
    with tarfile.open(ARCHIVE) as outer, tarfile.open(fileobj=io.BytesIO(member(outer, INNER))) as inner:
        content = member(inner, f"hutto_ICWSM_2014/{part}_GroundTruth.txt").decode("utf-8", errors="replace")
    rows = [line.split("\t") for line in content.split("\n") if line.strip()]
    return [Rated(html.unescape(text.strip()), float(rating)) for _, rating, text in rows]


def member(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    assert file is not None, name
    return file.read()
