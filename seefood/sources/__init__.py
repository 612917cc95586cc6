"""Which pictures a run reads: folders, buckets, globs, manifests, and the filters over them."""
