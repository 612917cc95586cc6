"""The batch job: an Apache Beam job over the core's functions.

    list -> skip what the ledger has -> [reshuffle refs, never bytes] -> classify chunks -> totals

    job         what a bulk job is, as a value, and how one is run
    transforms  thin transforms, each over a plain function of the core
    workers     the worker of a process, opened once

As little logic as possible stands in transforms; as much as possible in `seefood`.
"""
