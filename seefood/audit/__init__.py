"""Audits: how right the labels are, from as few blind answers of a person as possible.

docs/audit.md states the method and its sources.
"""
