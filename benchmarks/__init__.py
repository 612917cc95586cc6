"""Measures every figure that the README states, beside the peers that it is compared with.

__main__           the command: which benchmarks run, which pages are written
registry           the benchmarks, each a function in a module
bulk               `seefood classify`, a bare loop and the peers over the same pictures
bulk_contenders    the contenders of the bulk benchmarks
bulk_table         the table of a bulk benchmark
contenders/        one script per contender, run as a process of its own
job                the job file and the result line that the scripts share
runner             runs contenders in turns
contender_process  starts one contender and measures its process
single             one picture from the shell, and what a command costs to start
growth             memory with ten times the pictures
upload             the Lambda, cold and warm
upload_handlers    the handlers that it compares
networks           the networks that all contenders run
torch_weights      the weights of one of them for PyTorch
pictures           the pictures that all contenders read
sections           medians, ratios, tables
pages              the pages that show the tables
plot               the bar chart
machine            the machine, the versions and the commit
"""
