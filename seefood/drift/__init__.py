"""What changed: fingerprints of runs, their comparison, and the estimated accuracy."""
