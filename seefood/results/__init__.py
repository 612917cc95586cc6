"""Rows in an output: result formats, ledger, deduplication, compaction, comparison, totals."""
