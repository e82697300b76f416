"""Marker files in the grammar that the editors' programs write, for given frames."""

import io

import mido

from engine.music.timecode import FRAME_RATES, TimecodeClock

EVENTS = (("1m1 Opening", 0, 1, "Blue"), ("door slams!", 131, 1, "Blue"), ("Chase", 200, 120, "Green"),
          ("glass", 1797, 1, "Red"), ("minute", 1800, 1, "Blue"), ("1m1 Out", 3400, 1, "Blue"))  # fmt: skip


def label(frame, rate, start):
    clock = TimecodeClock(FRAME_RATES[rate])
    return str(clock.parse(start) + frame)


def resolve_edl(rate, start, events=EVENTS):
    drop = rate.endswith("DF")
    lines = ["TITLE: Timeline 1", f"FCM: {'DROP' if drop else 'NON-DROP'} FRAME", ""]
    for number, (name, frame, length, colour) in enumerate(events, start=1):
        at, after = label(frame, rate, start), label(frame + 1, rate, start)
        lines.append(f"{number:03}  001      V     C        {at} {after} {at} {after}  ")
        lines.append(f" |C:ResolveColor{colour} |M:{name} |D:{length}")
        lines.append("")
    return "\r\n".join(lines).encode()


def premiere_csv(rate, start, events=EVENTS):
    def told(frame):
        text = label(frame, rate, start)
        return text.replace(":", ";") if rate.endswith("DF") else text

    lines = ["Marker Name\tDescription\tIn\tOut\tDuration\tMarker Type\t"]
    for name, frame, length, _ in events:
        duration = told(0)[:0] + ("00;00;00;00" if rate.endswith("DF") else "00:00:00:00")
        lines.append(f"{name}\t\t{told(frame)}\t{told(frame + length if length > 1 else frame)}\t{duration}\tComment\t")
    return ("\ufeff" + "\r\n".join(lines) + "\r\n").encode("utf-16-le")


def fcp7_xml(rate, start, events=EVENTS):
    known = FRAME_RATES[rate]
    ntsc = "TRUE" if known.fps.denominator == 1001 else "FALSE"
    shape = f"<rate><timebase>{known.nominal}</timebase><ntsc>{ntsc}</ntsc></rate>"
    rows = "".join(
        f"<marker><comment></comment><name>{name}</name><in>{frame}</in>"
        f"<out>{frame + length if length > 1 else -1}</out></marker>"
        for name, frame, length, _ in events
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE xmeml><xmeml version="4"><sequence id="s"><name>reel</name>'
        f"<duration>5000</duration>{shape}<timecode>{shape}<string>{start}</string><frame>0</frame>"
        f"<displayformat>{'DF' if known.drop else 'NDF'}</displayformat></timecode>{rows}</sequence></xmeml>"
    ).encode()


def fcpxml(rate, start, events=EVENTS):
    """Markers on a first clip, on a gap, and on a clip that is connected to it."""
    known = FRAME_RATES[rate]
    unit = known.frame_s
    begin = TimecodeClock(known).parse(start).frames

    def time(frames):
        value = frames * unit
        return f"{value.numerator}/{value.denominator}s"

    def marker(name, local, length):
        tag = f'value="{name}" start="{time(local)}" duration="{time(length)}"'
        return f"<marker {tag}/>"

    first = "".join(marker(n, f + 500, le) for n, f, le, _ in events if f < 150)
    gap = "".join(marker(n, f - 150 + 86400, le) for n, f, le, _ in events if 150 <= f < 1798)
    joined = "".join(marker(n, f - 1798 + 7, le) for n, f, le, _ in events if f >= 1798)
    drop = "DF" if known.drop else "NDF"
    return f"""<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE fcpxml>
<fcpxml version="1.10"><resources><format id="r1" frameDuration="{time(1)}"/>
<asset id="r2" start="{time(500)}" duration="{time(9000)}"/></resources>
<library><event><project name="reel"><sequence format="r1" tcStart="{time(begin)}" tcFormat="{drop}"><spine>
<asset-clip ref="r2" offset="{time(begin)}" duration="{time(150)}">{first}</asset-clip>
<gap offset="{time(begin + 150)}" start="{time(86400)}" duration="{time(4000)}">{gap}
<asset-clip lane="1" ref="r2" offset="{time(86400 + 1648)}" start="{time(7)}" duration="{time(3000)}">{joined}
<marker value="unseen" start="{time(1)}"/></asset-clip></gap>
</spine></sequence></project></event></library></fcpxml>""".encode()


def sheet(rate, start, events=EVENTS):
    lines = ["The Film;Reel 1;;;", "TC In;TC Out;Action;Emotional;Palette"]
    for name, frame, length, _ in events:
        out = label(frame + length, rate, start) if length > 1 else ""
        lines.append(f'"{label(frame, rate, start)}";"{out}";"{name}";tense;strings')
    return ("\n".join(lines)).encode("cp1252")


def midi(rate, events=EVENTS):
    """At 97 bpm, which no frame divides."""
    file = mido.MidiFile(ticks_per_beat=960)
    track = mido.MidiTrack()
    file.tracks.append(track)
    tempo = round(60_000_000 / 97)
    track.append(mido.MetaMessage("set_tempo", tempo=tempo))
    before = 0
    for name, frame, _, _ in events:
        tick = round(float(frame * FRAME_RATES[rate].frame_s) * 1e6 / tempo * 960)
        track.append(mido.MetaMessage("marker", text=name, time=tick - before))
        before = tick
    data = io.BytesIO()
    file.save(file=data)
    return data.getvalue()
