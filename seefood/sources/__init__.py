"""Which pictures there are: listings, manifests, S3 Inventory, filters."""
