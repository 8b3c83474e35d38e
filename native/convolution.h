// What a convolution is, and the three things that are computed of one.
//
// Pictures are (image, row, column, channel), kernels (row, column, channel, output), both with the
// last axis next to each other in memory. The "sums" are the outputs of the convolution itself;
// bias, ReLU and maximum pooling follow in the same call and only their result is kept.
#pragma once

#include "parallel.h"

struct Convolution {
  int64_t images, height, width, channels;  // of the inputs
  int64_t rows, columns, outputs;           // of the kernel
  int64_t stride, dilation;
  int64_t top, left;              // rows and columns of zeros before the picture
  int64_t sums_high, sums_wide;   // what the convolution itself gives
  int64_t pool;                   // size of the pooled windows; 1 for none
  bool rectify;                   // ReLU

  int64_t high() const { return sums_high / pool; }  // what comes out in the end
  int64_t wide() const { return sums_wide / pool; }
};

struct ConvolutionRoutines {
  // outputs (image, high, wide, outputs); where: the place of each window's maximum, if pool > 1
  void (*forward)(const Convolution&, const float* inputs, const float* kernel,
                  const float* biases, float* outputs, uint8_t* where, const Parallel&);
  // slopes: of the loss by the outputs. `slots` partial sums are made and then added in order, so
  // that the result depends on their number and never on which thread was faster.
  void (*kernel_gradient)(const Convolution&, const float* inputs, const float* outputs,
                          const uint8_t* where, const float* slopes, int64_t slots,
                          float* kernel_gradient, float* bias_gradient, const Parallel&);
  void (*inputs_gradient)(const Convolution&, const float* kernel, const float* outputs,
                          const uint8_t* where, const float* slopes, float* inputs_gradient,
                          const Parallel&);
};
