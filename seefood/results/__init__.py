"""Rows at rest: result files, ledger, deduplication, compaction, comparison, totals."""
