"""Where models come from: data, networks, fit, calibration, export, evaluation.

    data, split, augment   labelled photos, kept apart by content
    networks               LeNet-5, AlexNet, GoogLeNet as their papers have them, and modern ones
    run, fit, checkpoint   a training run that survives a kill
    calibrate, metrics     temperatures, thresholds, areas, intervals
    export, package        from a network, or somebody's SavedModel, to a certified bundle
    evaluate               a bundle measured on labelled photos
    recipe                 how the built-in model was made

TensorFlow is imported where it is used; `seefood train --help` needs none.
"""
