"""Finds equal and nearly equal pictures from the rows and features of an output.

pictures: the rows as arrays. hash_pairs, feature_pairs: candidates that look alike. groups: the
groups, their best original, what they cost and what they reveal. page: a contact sheet. No picture
is read again, apart from local files that are to be called equal, whose tags do not tell content.
"""
