"""Frameworks that networks are trained with, a room for each; who only runs networks needs none of them."""
