// What the kernel offers, once for each kind of vector instructions.
#pragma once

#include "convolution.h"
#include "dense.h"

struct Routines {
  const char* name;
  ConvolutionRoutines convolution;
  DenseRoutines dense;
};

extern const Routines kAvx2;
extern const Routines kAvx512;
