"""Training data from films: picture and sound of each second, as MuVi-Sync has them (Kang, Poria & Herremans 2024, 3).

`film.py` makes one film's rows, `table.py` the set of them; `sound`, `chords`, `notes` and `keys` hear the music,
`duplicates` and `splits` say which films stay together, `layout` writes MuVi-Sync's own files.
"""
