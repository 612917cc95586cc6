"""One script for each contender, as its own documentation has it; each is run as a process.

python -m benchmarks.contenders.<name> JOB.json
"""
