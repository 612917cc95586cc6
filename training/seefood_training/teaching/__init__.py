"""`seefood teach`: a new last layer on stored features, and new labels for all rows.

examples: pictures with their features and classes. head: the layer, fitted, calibrated and
measured. graph: the layer in LiteRT's file. bundle: the bundle with that graph. relabel: the rows
that it gives, without reading a picture. No part of it imports TensorFlow.
"""
