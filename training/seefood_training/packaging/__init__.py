"""`seefood package`: makes a bundle of any model that people have, or says why it is refused.

In this order: `locate` and `archives` find the model, `forms` opens it, `choosing` takes the
function that classifies and refuses what is not repeatable, `picture_input` and `answers` determine
its input and its output, `hints` and `search` its pixels, and `writing` makes the bundle.
"""
