"""Trains, evaluates and packages models.

data, split, augment     labelled photos, split by content
networks                 LeNet-5, AlexNet and GoogLeNet as in their papers, and modern networks
run, fit, checkpoint     a training run that continues after a kill
calibrate, metrics       temperature, thresholds, areas, intervals
export, package          from a network, or any SavedModel, to a certified bundle
evaluate, cascade        a bundle measured on labelled photos; a cascade of two bundles
recipe                   makes the built-in models
commands                 the subcommands; they import TensorFlow when they run
"""
