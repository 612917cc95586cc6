"""One script per contender, written as its documentation shows; each runs as a process.

python -m benchmarks.contenders.<name> JOB.json
"""
