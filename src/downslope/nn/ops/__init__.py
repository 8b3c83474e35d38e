"""Products and convolutions: each by the native kernel, or by JAX alone."""
