"""Writes a version's folder whole or not at all."""

import os
import re
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from errors import ExportError


@contextmanager
def version_folder(out: Path, force: bool) -> Iterator[Path]:
    """A hidden folder beside `out`, which takes its place when all went well. The server passes over hidden folders."""
    require_free(out, force)
    made = make_parents(out.parent)
    scratch = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    previous = signal.signal(signal.SIGTERM, stop)
    try:
        yield scratch
        scratch.chmod(0o755)
        require_free(out, force)
        put_in_place(scratch, out)
    finally:
        signal.signal(signal.SIGTERM, previous)
        shutil.rmtree(scratch, ignore_errors=True)
        for folder in made:
            if not any(folder.iterdir()):
                folder.rmdir()


def require_free(out: Path, force: bool) -> None:
    """Only an earlier version is replaced: a mistyped path must not cost anything else."""
    if not os.path.lexists(out):
        return
    if out.is_symlink() or not out.is_dir():
        raise ExportError(f"{out} is there already, and is no folder")
    if not any(out.iterdir()):
        return
    if not force:
        raise ExportError(f"{out} is there already: name another version, or add --force to replace it")
    if not (out / "config.json").is_file():
        raise ExportError(f"{out} holds no config.json, so it is no model's version: --force does not replace it")


def make_parents(folder: Path) -> list[Path]:
    """@returns those that were not there, the innermost first"""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExportError(f"cannot make {folder}: {error.strerror}") from error
    return missing


def put_in_place(scratch: Path, out: Path) -> None:
    if not out.exists():
        scratch.rename(out)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{out.name}.old.", dir=out.parent))
    out.rename(old)
    try:
        scratch.rename(out)
    except BaseException:
        old.rename(out)
        raise
    shutil.rmtree(old)


def stop(*_: object) -> None:
    raise SystemExit("stopped; nothing was written")


def name_advice(out: Path) -> str | None:
    """What the server will say of the folder's name."""
    path = out.resolve()
    if not re.fullmatch(r"[1-9][0-9]*", path.name):
        return f"the server reads models/<model>/<version>, and {path.name!r} is no positive integer"
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", path.parent.name):
        return f"the server takes no model of the name {path.parent.name!r}: expected a-z, 0-9, '.', '_', '-'"
    return None
