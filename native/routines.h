// All routines, compiled once for each kind of vector instructions.
#include "kernel.h"

#include "convolution_routines.h"
#include "dense_routines.h"

const Routines ROUTINES = {
    NAME,
    {forward, kernel_gradient, inputs_gradient},
    {dense_forward, dense_weights_gradient, dense_inputs_gradient},
};
