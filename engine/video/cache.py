"""Keeps features on disk, so that a film is looked at once.

A key names a film's content (size, head, tail and blocks between them, so that a 50 GB file need not be read) and the
settings that change the result.  The hash of the whole file follows in the background (engine.video.identity) and is
kept beside the entry: a film that agrees with it is not read again until it changes, one that does not is looked at
anew.  Entries are feature files written aside and renamed: two writers, or a crash in between, leave whole files only;
one that cannot be read is dropped.  The least recently used go when the bound is passed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from engine.user_folders import cache_folder
from engine.video.errors import VideoError
from engine.video.features import VideoFeatures
from engine.video.film import regular_file
from engine.video.identity import BackgroundHash, WholeHash, stamp
from engine.video.options import AnalysisOptions
from engine.video.semantics import planned_reading

_EDGE_BYTES: Final = 1 << 20
_BLOCK_BYTES: Final = 1 << 16
_BLOCKS: Final = 32
_CHECK_S: Final = 1.0  # the whole hash is waited for this long; what takes longer goes on behind the answer
_FILES_KNOWN: Final = 8  # files of the same content that an entry remembers
_LEFT_OVER_S: Final = 60.0  # a file still half written after this was left by a crash


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """One kept analysis.  seconds: rows; bytes: on disk; used_at: time of last use, seconds since 1970."""

    key: str
    path: Path
    film_name: str
    reading: str
    seconds: int
    bytes: int
    used_at: float


def content_key(path: str | os.PathLike[str]) -> str:
    """32 hex digits that name a file's content: its size, first and last MiB and 32 blocks between.

    Raises VideoError.
    """
    file = regular_file(path)
    digest = hashlib.blake2b(digest_size=16)
    try:
        with file.open("rb") as handle:
            size = os.fstat(handle.fileno()).st_size
            digest.update(str(size).encode())
            if size <= 2 * _EDGE_BYTES + _BLOCKS * _BLOCK_BYTES:
                digest.update(handle.read())
            else:
                digest.update(handle.read(_EDGE_BYTES))
                room = size - 2 * _EDGE_BYTES - _BLOCK_BYTES
                for block in range(_BLOCKS):
                    handle.seek(_EDGE_BYTES + room * block // (_BLOCKS - 1))
                    digest.update(handle.read(_BLOCK_BYTES))
                handle.seek(size - _EDGE_BYTES)
                digest.update(handle.read(_EDGE_BYTES))
    except OSError as error:
        raise VideoError(f"{file.name} cannot be read: {error.strerror or error}.") from error
    return digest.hexdigest()


def _drop(file: Path) -> None:
    """Removes an entry, whatever it is by now; in a cache that cannot be written it stays, and is not used."""
    with contextlib.suppress(OSError):
        if file.is_dir() and not file.is_symlink():
            shutil.rmtree(file)
        else:
            file.unlink(missing_ok=True)


def _sealed(facts: dict[str, object]) -> dict[str, object]:
    """With a digest of it all: a record with one wrong digit would make the film another one."""
    return {**facts, "seal": hashlib.blake2b(json.dumps(facts, sort_keys=True).encode(), digest_size=8).hexdigest()}


class FeatureCache:
    """A folder of feature files.

    directory None: the user's cache folder.  max_bytes: bound on all entries together.  Raises VideoError where the
    folder is a file.
    """

    def __init__(self, directory: Path | None = None, max_bytes: int = 2 * 1024**3) -> None:
        if directory is None:
            directory = cache_folder() / "features"
        if directory.exists() and not directory.is_dir():
            raise VideoError(f"The cache folder {directory} is a file.")
        self.directory = directory
        self.max_bytes = max_bytes

    def key(self, path: str | os.PathLike[str], options: AnalysisOptions) -> str:
        """Name of the entry for a film and settings.  Raises VideoError where the film cannot be read."""
        reading, _reason = planned_reading(options)
        settings = hashlib.blake2b(options.cache_text(reading).encode(), digest_size=8).hexdigest()
        return f"{content_key(path)}-{settings}"

    def get(self, key: str) -> VideoFeatures | None:
        """The kept features, or None.  An entry that cannot be read is removed."""
        file = self._file(key)
        if not os.path.lexists(file):
            return None
        try:
            features = VideoFeatures.load(file)
        except VideoError:
            _drop(file)
            return None
        try:
            os.utime(file)
        except OSError:
            pass  # a read-only cache still serves
        return features

    def get_checked(self, key: str, path: str | os.PathLike[str]) -> tuple[VideoFeatures | None, str]:
        """The kept features where they are of this very file, and a sentence where the key fitted but the file did not.

        A file that is not known yet is hashed; what is not done within a second goes on behind the answer, and drops
        the entry should it turn out to be another film's.
        """
        kept = self.get(key)
        if kept is None or self._knows(key, path):
            return kept, ""
        other: list[WholeHash] = []

        def compare(whole: WholeHash) -> None:
            if not self._agree(key, whole):
                other.append(whole)

        hashing = BackgroundHash(path, gently=False)
        hashing.then(compare)
        if hashing.wait(_CHECK_S) and other:
            return None, (
                f"{Path(path).name} is like a film that was analysed before in its sampled parts, but not in all "
                "of it; it was analysed again."
            )
        return kept, ""

    def put(self, key: str, features: VideoFeatures, hashing: BackgroundHash | None = None) -> None:
        """Keeps features; drops the least recently used beyond the bound.  Raises VideoError where it cannot write.

        hashing: of the film, begun with the analysis; it is waited for at most a second more.
        """
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise VideoError(f"The cache folder {self.directory} cannot be made: {error.strerror}.") from error
        if hashing is not None:
            # The time of change tells of what lies between the samples, the samples of what lies before the hash began.
            changed = stamp(hashing.path) != hashing.began or content_key(hashing.path) != key.split("-")[0]
            if changed:
                hashing.stop()
                raise VideoError(f"{hashing.path.name} changed while it was being analysed; nothing is kept of it.")
        self._beside(key).unlink(missing_ok=True)
        features.save(self._file(key))
        self._shrink(keep=self._file(key))
        if hashing is not None:
            hashing.then(lambda whole: self._remember(key, whole, []))
            hashing.wait(_CHECK_S)

    def _knows(self, key: str, path: str | os.PathLike[str]) -> bool:
        """Whether this file, as it lies there, was compared before."""
        now = stamp(path)
        return now is not None and list(now) in self._read_beside(key)[1]

    def _agree(self, key: str, whole: WholeHash) -> bool:
        """Compares a file with the entry; where it is another film's, the entry goes.  True where nothing says so."""
        kept, files = self._read_beside(key)
        if kept and kept != whole.hex:
            self._file(key).unlink(missing_ok=True)
            self._beside(key).unlink(missing_ok=True)
            return False
        if kept:  # without it the hash of the film that was looked at is not known: nothing can be compared
            self._remember(key, whole, files)
        return True

    def _remember(self, key: str, whole: WholeHash, files: list[list[object]]) -> None:
        entry: list[object] = [whole.path, whole.size, whole.changed_ns]
        files = [entry, *(known for known in files if known[:1] != entry[:1])][:_FILES_KNOWN]
        beside = self._beside(key)
        aside = beside.with_name(f".{beside.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
        try:
            aside.write_text(json.dumps(_sealed({"blake2b": whole.hex, "files": files})), encoding="utf-8")
            if self._file(key).exists():
                os.replace(aside, beside)
        except OSError:
            pass  # without it the film is hashed again next time
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)

    def _read_beside(self, key: str) -> tuple[str, list[list[object]]]:
        """The whole hash and the files that have it; "" and none where it is not there or cannot be read."""
        try:
            kept = json.loads(self._beside(key).read_text(encoding="utf-8"))
            facts = {name: kept[name] for name in ("blake2b", "files")}
            # One of an earlier version is not sealed; nothing else may be in it.
            if kept != _sealed(facts) and kept != facts:
                return "", []
            return str(kept["blake2b"]), [list(file) for file in kept["files"]]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return "", []

    def list(self) -> list[CacheEntry]:
        """Entries, most recently used first."""
        entries = []
        for file in self._files():
            try:
                features = VideoFeatures.load(file)
                stat = file.stat()
            except (VideoError, OSError):
                continue
            entries.append(
                CacheEntry(
                    key=file.stem,
                    path=file,
                    film_name=Path(features.film.path).name,
                    reading=features.reading,
                    seconds=features.seconds,
                    bytes=stat.st_size,
                    used_at=stat.st_mtime,
                )
            )
        return sorted(entries, key=lambda entry: -entry.used_at)

    def clear(self) -> int:
        """Removes all entries, and what a crash left half written.  Returns the bytes freed."""
        freed = 0
        for file in (*self._files(), *self._left_over(), *self.directory.glob("*.json")):
            try:
                size = file.stat().st_size
                file.unlink()
                freed += size
            except OSError:
                continue
        return freed

    def _file(self, key: str) -> Path:
        return self.directory / f"{key}.npz"

    def _beside(self, key: str) -> Path:
        return self.directory / f"{key}.json"

    def _left_over(self) -> tuple[Path, ...]:
        """What writers that died have left half written; what is younger may be another's work."""
        found = []
        for file in self.directory.glob(".*.part"):
            with contextlib.suppress(OSError):
                if time.time() - file.stat().st_mtime > _LEFT_OVER_S:
                    found.append(file)
        return tuple(found)

    def _files(self) -> tuple[Path, ...]:
        if not self.directory.is_dir():
            return ()
        return tuple(file for file in self.directory.glob("*.npz") if not file.name.startswith("."))

    def _shrink(self, keep: Path) -> None:
        for file in self._left_over():
            with contextlib.suppress(OSError):
                file.unlink()
        sized = []
        for file in self._files():
            try:
                stat = file.stat()
            except OSError:
                continue
            sized.append((stat.st_mtime, stat.st_size, file))
        total = sum(size for _used, size, _file in sized)
        for _used, size, file in sorted(sized, key=lambda entry: entry[0]):
            if total <= self.max_bytes:
                return
            if file != keep:
                file.unlink(missing_ok=True)
                file.with_suffix(".json").unlink(missing_ok=True)
                total -= size


def with_film(
    features: VideoFeatures, path: str | os.PathLike[str], content: str, options: AnalysisOptions | None = None
) -> VideoFeatures:
    """Kept features under the path that was asked for: the same content may lie elsewhere now.

    options: with them the reason for the reading is today's, not that of the day when the film was looked at.
    """
    reason = features.reason if options is None else planned_reading(options)[1]
    return replace(features, reason=reason, film=replace(features.film, path=str(path), content_key=content))
