"""Files that picture editors, DAWs, orchestrators and societies read and write: pure readers and writers.

Reading makes values (`markers.MarkerFile`) of bytes and names every line that cannot be read; nothing is taken from a
file that is refused.  What the values become is decided elsewhere: `rules` maps names to cues, sections and hits.
"""
