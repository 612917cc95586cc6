"""One run: lease, shards, progress, summary, estimate, prices."""
