"""Keras layers that networks are built from."""
