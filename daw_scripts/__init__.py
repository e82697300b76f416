"""Scripts that run inside DAWs.  Each uses the standard library of its host only and imports nothing of ours."""
