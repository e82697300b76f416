"""The guides: every command in them is one that CueBridge has, every DAW has its page, links lead on."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*sorted((ROOT / "docs/daw").glob("*.md")), ROOT / "docs/protocol.md"]
GUIDES = [page for page in PAGES if page.name not in ("README.md", "host-calls.md", "protocol.md")]


@cache
def help_of(command):
    call = [sys.executable, "-m", "bridge.cli", command, "--help"]
    done = subprocess.run(call, capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.returncode == 0, f"cuebridge {command}: {done.stderr[-300:]}"
    return done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_and_option_exists(page):
    text = page.read_text()
    for code in re.findall(r"`([^`\n]+)`", text):
        words = code.split()
        if words[0] == "cuebridge" and len(words) > 1:
            known = help_of(words[1])
            options = [word for word in words[2:] if re.match(r"--?[a-z]", word)]
        elif re.match(r"--[a-z]", code):
            known, options = help_of("live") + help_of("install-script"), re.findall(r"(?<!\S)--[a-z][\w-]*", code)
        else:
            continue
        for option in options:
            assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", known), f"{option} in `{code}`"
    for choice in re.findall(r"--sync (\w+)", text):
        assert choice in re.search(r"--sync \{([^}]*)\}", help_of("live"))[1].split(",")
    for choice in re.findall(r"--tempo (\w+)", text):
        assert choice in re.search(r"--tempo \{([^}]*)\}", help_of("live"))[1].split(",")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert link.startswith("https://") or (page.parent / link).is_file(), link


def test_every_daw_has_a_page_that_the_overview_names():
    overview = (ROOT / "docs/daw/README.md").read_text()
    assert {f"{page.stem}.md" for page in GUIDES} <= set(re.findall(r"\(([\w-]+\.md)\)", overview))


def test_the_bytes_in_the_protocol_page_are_the_bytes_sent():
    from bridge.daw.protocol import Transport, decode

    block = re.search(r"```\n(2f 64 61 77 .*?)```", (ROOT / "docs/protocol.md").read_text(), re.DOTALL)[1]
    rows = [re.match(r"(?:[0-9a-f]{2} +)+", row + " ")[0] for row in block.splitlines()]
    assert decode(bytes.fromhex("".join(rows))) == Transport(7, 2.5, 3.5, 7.0, 120.0, 4, 4, 9)


def test_the_protocol_page_has_every_message_with_its_types():
    from bridge.daw.protocol import MESSAGES

    page = (ROOT / "docs/protocol.md").read_text()
    for address, kind in MESSAGES.items():
        tags = kind.TAGS + (f" ({kind.ITEM.TAGS})…" if hasattr(kind, "ITEM") else "")
        assert re.search(rf"^\| `{re.escape(address)}` \| {re.escape(tags)} ?\|", page, re.MULTILINE), (address, tags)


def test_the_reaper_template_has_the_tracks_on_their_channels():
    text = (ROOT / "daw_scripts/reaper/ProjectTemplates/CueBridge.RPP").read_text()
    assert text.count("<") == text.count(">") == 6
    names = re.findall(r"NAME (\w+)", text)
    inputs = [int(one) for one in re.findall(r"REC 1 (\d+) 1 0", text)]
    # 4096 = MIDI, bits 5 on: the device, low five bits: the channel.  In project files all inputs are device 31, as
    # REAPER saves them; 63 is the number that its API takes, and a file that has it shows "not connected".
    found = [(number >> 12, number >> 5 & 63, number & 31) for number in inputs]
    assert dict(zip(names, found, strict=True)) == {
        part: (1, 31, channel) for part, channel in (("pad", 1), ("arp", 2), ("bass", 3), ("melody", 4), ("drums", 10))
    }
