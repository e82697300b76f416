"""The sources of the plugin, in C: see docs/daw/plugin.md.  `release` builds it for every system."""
