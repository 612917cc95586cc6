"""Finds the pictures that are most similar to one, by the stored features of an output.

search: the nearest vectors, by comparing with each. found: their rows, and filters. page: a contact
sheet.
"""
