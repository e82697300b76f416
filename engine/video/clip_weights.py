"""Fetches OpenAI's CLIP weights once, where the person asks for it: size, progress, resume, checksum.

    python -m engine.video.clip_weights [--to FILE] [--url URL --sha256 HEX]

OpenAI publishes a TorchScript archive whose SHA-256 is part of its address; it is checked, read, and kept as
safetensors, which hold numbers and no code.  A broken download goes on where it stopped.  Nothing is ever fetched
unasked.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from engine.music.command import SentenceParser
from engine.music.ctrl_c import ctrl_c_now
from engine.music.errors import UserError, ended_by_ctrl_c
from engine.video.errors import VideoError
from engine.video.options import AnalysisOptions
from engine.video.semantics import weights_file

# From open_clip's table of pretrained weights (tag `openai`); the long number is the file's SHA-256.
SOURCES: Final = {
    "ViT-L-14-336-quickgelu": (
        "https://openaipublic.azureedge.net/clip/models/"
        "3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02/ViT-L-14-336px.pt"
    ),
    "ViT-B-32-quickgelu": (
        "https://openaipublic.azureedge.net/clip/models/"
        "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af/ViT-B-32.pt"
    ),
}
_BLOCK: Final = 1 << 20
_TIMEOUT_S: Final = 30.0
_NOT_WEIGHTS: Final = ("input_resolution", "context_length", "vocab_size")

Progress = Callable[[int, int], None]  # bytes so far, bytes in all (0: not told)


def fetch(url: str, target: Path, sha256: str, progress: Progress) -> None:
    """Downloads a file beside its target, checks it, converts it where needed, and puts it in place.

    A partial download stays as `.part` and is resumed next time; one with a wrong checksum is removed.
    Raises VideoError with one sentence.
    """
    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _download(url, part, progress)
    except urllib.error.HTTPError as error:
        raise VideoError(f"{url} answers {error.code} {error.reason}; nothing was fetched.") from error
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        why = getattr(error, "reason", error)
        raise VideoError(f"{url} cannot be reached ({why}); what has come is kept, run this again to go on.") from error
    except ValueError as error:
        raise VideoError(f"'{url}' is not an address.") from error
    except OSError as error:
        raise VideoError(f"{part} cannot be written: {error.strerror or error}.") from error
    if _sha256(part) != sha256:
        part.unlink(missing_ok=True)
        raise VideoError(f"What came from {url} is not the file that was expected (its checksum differs).")
    if url.endswith(".safetensors"):
        os.replace(part, target)
    else:
        convert(part, target)
        part.unlink(missing_ok=True)


def convert(archive: Path, target: Path) -> None:
    """TorchScript archive -> safetensors with the same tensors.  Raises VideoError."""
    import torch
    from safetensors.torch import save_file

    aside = target.with_name(f"{target.name}.{os.getpid()}.aside")
    try:
        state = torch.jit.load(str(archive), map_location="cpu").state_dict()
        tensors = {name: value.contiguous() for name, value in state.items() if name not in _NOT_WEIGHTS}
        save_file(tensors, aside)
        os.replace(aside, target)
    except (RuntimeError, ValueError, OSError) as error:
        aside.unlink(missing_ok=True)
        raise VideoError(f"{archive.name} cannot be turned into safetensors: {str(error).splitlines()[0]}.") from error


def _download(url: str, part: Path, progress: Progress) -> None:
    """Appends to what is there, where the server can; else starts again."""
    there = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={there}-"} if there else {})
    try:
        answer: Any = urllib.request.urlopen(request, timeout=_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if error.code == 416 and there:  # nothing is missing; the checksum decides
            return
        raise
    with answer:
        if answer.status != 206:
            there = 0
        length = answer.headers.get("Content-Length")
        total = there + int(length) if length else 0
        with part.open("ab" if there else "wb") as file:
            done = there
            progress(done, total)
            while block := answer.read(_BLOCK):
                file.write(block)
                done += len(block)
                progress(done, total)
        if total and done < total:
            raise ConnectionError("the connection ended early")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _show(done: int, total: int) -> None:
    text = f"{done / 1e6:.0f} MB" + (f" of {total / 1e6:.0f} MB" if total else "")
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()


def main(argv: Sequence[str] | None = None) -> int:
    """The command; exit codes 0, 2, 130."""
    parser = SentenceParser(prog="cuebridge models fetch", description="Fetch CLIP weights.")
    parser.add_argument("what", nargs="?", choices=("clip",), default="clip")
    parser.add_argument("--clip-model", choices=tuple(SOURCES), default=AnalysisOptions().clip_model)
    parser.add_argument("--to", type=Path, metavar="FILE", help="where to, default the user's data folder")
    parser.add_argument("--url", help="another address of the same file, or of another; needs --sha256")
    parser.add_argument("--sha256", metavar="HEX", help="checksum that the file must have")
    try:
        ctrl_c_now()
        arguments = parser.parse_args(argv)
        url = arguments.url or SOURCES[arguments.clip_model]
        sha256 = arguments.sha256 or ("" if arguments.url else url.split("/")[-2])
        target = arguments.to or weights_file(AnalysisOptions(clip_model=arguments.clip_model))
        if not re.fullmatch(r"[0-9a-fA-F]{64}", sha256):
            raise VideoError("An address of your own needs --sha256 with 64 hex digits.")
        if target.exists():
            sys.stdout.write(f"{target} is there already.\n")
            return 0
        sys.stderr.write(f"from {url}\nto   {target}\n")
        fetch(url, target, sha256.lower(), _show)
    except UserError as error:
        sys.stderr.write(f"cuebridge: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("\nstopped; what has come is kept, run this again to go on\n")
        return ended_by_ctrl_c()
    sys.stdout.write(f"\n{target} ({target.stat().st_size / 1e6:.0f} MB)\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
