"""Every number that the README states, with the peers it is compared with.

__main__     the front door: which works to measure, and what is written
works        the registry: each work is a module with one function
field        who takes part in bulk work
bulk         ours, a bare loop and the peers over the same pictures
bulk_table   its table
single       one picture at a time, and what a command costs to start
contenders/  one small script for each contender, run as a fresh process
network      the networks that everybody runs
pictures     the pictures that everybody reads
growth       memory over ten times the pictures
variants     what int8 and bfloat16 cost in accuracy (by itself)
loopback_s3  a stand-in for S3 with a latency to choose
rounds       runs contenders in turns and watches them
sections     medians, ratios, tables
plot         the bar chart
machine      what it was measured on
"""
