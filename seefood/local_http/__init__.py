"""The HTTP server of the local pages: `seefood serve`, `seefood review`, `seefood audit`."""
