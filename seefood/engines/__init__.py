"""Engines: one module for each runtime, all behind the `Engine` protocol of `base`.

registry    the table of engines: names, libraries, tolerances; imports no NumPy
loading     creates an engine and certifies it
litert      the bundle's tflite graph; light, the default
openvino    the same graph compiled for this processor; float32 or bfloat16
onnxruntime the bundle's ONNX graph
tensorflow  the SavedModel itself
adapting    pixels and scores of graphs that are taken as they are
cascade     a small network before a large one, both on the same engine
fake        colors instead of a network; ships for tests and examples
"""
