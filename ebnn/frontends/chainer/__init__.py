"""Training on Chainer: its functions and links, the trainer, and the lowering of its chains to networks.

Scripts take the names from :mod:`ebnn.links`, :mod:`ebnn.functions`, :mod:`ebnn.training` and :func:`ebnn.lower`.
"""
