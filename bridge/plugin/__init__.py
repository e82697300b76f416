"""The bridge's end of the plugin: the plan that instances get, their datagrams, and who of them plays which part."""
