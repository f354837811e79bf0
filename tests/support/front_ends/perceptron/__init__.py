"""A front end of one file: dense networks, whose last layer alone is trained, by the perceptron's rule."""
