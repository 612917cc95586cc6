"""The subcommands `train`, `evaluate`, `package` and `cascade`.

They import NumPy and the libraries of the extra `train` when they run, not for `--help`.
"""
