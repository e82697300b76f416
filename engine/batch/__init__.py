"""Many films, one at a time each: units of work that end, resume and fail alone, here or on a Dask cluster."""
