"""The path: how a network learns, chapter by chapter, from a neuron to the test set."""
