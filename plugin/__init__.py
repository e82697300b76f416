"""The sources of the plugin, in C: see docs/daw/plugin.md.  Nothing here is imported."""
