from engine.music.bundled import bundled_clip


def test_the_clip_and_its_licence_are_there():
    clip = bundled_clip()
    assert clip.is_file() and clip.stat().st_size > 1_000_000
    assert clip.name in (clip.parent / "LICENCE.md").read_text()
