"""The batch job: an Apache Beam pipeline over the functions of `seefood`.

    list -> skip pictures that have a row -> [reshuffle references] -> classify chunks -> add counts

request         the argument of `launch`
launcher        `launch`: prepare, execute, account
transforms      the steps of the pipeline, each around a plain function
bulk_job        builds the pipeline and runs it to its end
remote_runner   a job whose workers are other processes; with coordination and restart_state
options         Beam's options, and what a Flink cluster needs
worker_factory  the worker of a process
command         `seefood classify`
"""
