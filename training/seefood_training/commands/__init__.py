"""The subcommands of the command line that train, evaluate and package."""
