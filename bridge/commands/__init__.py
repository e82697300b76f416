"""The commands that run in the bridge's own process, a module each with `main(arguments) -> exit code`."""
