"""Acts on labels: sorts pictures into folders, tags them, and takes it back. docs/sort.md.

steps     what is done to one picture, and undone; each step can be repeated safely
carrying  copies and moves that lose nothing
journal   all steps of a command, written before the first is taken
planning  which steps the labels ask for
xmp       keywords in a sidecar file
moved     rows and corrections follow pictures that were moved
"""
