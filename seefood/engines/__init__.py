"""Engines: one module per runtime, all behind the `Engine` protocol of `base`.

litert      the bundle's tflite graph; light, the default
openvino    the same graph compiled for this processor; in bfloat16 only if asked
tensorflow  the SavedModel itself
cascade     two of the above, one after the other
fake        colours instead of a network; ships for tests and examples
"""
