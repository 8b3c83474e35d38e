"""How it learns: backpropagation, optimizers, batches, the loop, and the run that it leaves."""
