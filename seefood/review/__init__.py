"""The local page on which people say what is in pictures, one key an answer.

    queue  what the page asks for: pictures in an order, and a place for answers

`seefood review` and `seefood audit` serve the same page over different queues.
"""
