"""Features: the vector of each picture before the network's last layer, stored beside the rows.

files: the objects that hold them, in an output. stored: the vectors of a whole output. Rounding to
8 bits is `seefood.vectors`.
"""
