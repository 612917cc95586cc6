"""Finds the features of a bundle, the input of its last matrix product, and certifies them."""
