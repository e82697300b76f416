"""Notes -> sound, without a DAW: a SoundFont renderer, a mixer, and films with their music.

Nothing here knows the networks; numpy and PyAV are enough.  `render.py` does a whole film, the other files its parts.
"""
