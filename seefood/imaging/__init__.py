"""Bytes to pixels: formats, decoding, color, resizing, limits and memory."""
