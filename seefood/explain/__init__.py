"""Explains what the network computes for one picture, as a page in English or Portuguese.

    tflite_graph  the operations of a tflite file, with strides, paddings, activations
    trace         one run that keeps every tensor
    layers        shapes by formula, parameters, receptive fields
    heatmap       class activation maps
    classics      LeNet-5, AlexNet and GoogLeNet, computed from their papers
    curves        plots of the activation functions
    samples       labelled pictures with the network's predictions
    figures       every number and image of the page
    page          the page

It needs the bundle's LiteRT graph and no TensorFlow.
"""
