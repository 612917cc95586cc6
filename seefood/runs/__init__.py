"""One run of the batch job: its specification, lease, progress and summary; estimates and prices.

run_spec    what a run reads, uses and writes, as one value
run_files   the names of the objects in a run's folder
lease       one run at a time writes a model's rows
sharding    parts of a listing for several machines
progress    counters, and how a terminal shows them
summary     `summary.json`
estimate    what a run would take, from a measured sample
pricing     what a run would cost, from a price table
"""
