"""Pictures through decode and inference, in threads and in processes that may crash."""
