"""What `import seefood` offers to Python programs and notebooks.

classify  rows of pictures, classified while they are read
stored    the rows that lie in an output, with corrections
predict   one picture in this process
pictures  what counts as a picture: bytes, a path, a PIL image, an array
frames    pandas data frames
progress  a progress bar where a person watches
"""
