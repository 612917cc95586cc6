"""Bytes to pixels: formats, decoding, colour, resizing, and what it may cost."""
