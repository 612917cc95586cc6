"""The glass box: what the network sees of one picture, as a page in English or Portuguese.

    flatgraph  the operations of a tflite file, with strides, paddings, activations
    trace      one run with every tensor kept
    layers     shapes by formula, parameters, receptive fields
    heatmap    class activation maps and occlusion maps
    classics   LeNet-5, AlexNet, GoogLeNet as arithmetic
    figures    every number and picture of the page
    page       the page

It needs the bundle's LiteRT graph and nothing of TensorFlow.
"""
