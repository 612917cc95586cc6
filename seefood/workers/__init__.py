"""Takes chunks of pictures through fetching, decoding and inference.

The calling process holds a `SupervisedWorker`, which runs a worker process and replaces it when it
dies:

chunks              the unit of work; classify one and write its rows
supervisor          runs a worker process, and classifies suspects of a crash one by one
pending             a chunk that waits for its rows
isolated            one picture at a time, with bounded memory and time
subprocess_client   one worker process: start, send, receive
spawn               starts worker programs, also ahead of time
protocol            the messages between the two processes
in_flight           a shared-memory table of the pictures in flight
subprocess_main     the worker program
threaded            its threads: fetch, decode, infer
"""
