// What a dense layer is, and the three things that are computed of one.
//
// Inputs are (sample, feature), weights (feature, unit), outputs (sample, unit), each with the last
// axis next to each other in memory. Bias and ReLU follow the product in the same call.
#pragma once

#include "parallel.h"

struct Dense {
  int64_t samples, features, units;
  bool rectify;  // ReLU

  double products() const { return 1.0 * samples * features * units; }
};

// Each result depends on the numbers alone, never on how many threads there are.
struct DenseRoutines {
  void (*forward)(const Dense&, const float* inputs, const float* weights, const float* biases,
                  float* outputs, const Parallel&);
  // slopes: of the loss by the outputs
  void (*weights_gradient)(const Dense&, const float* inputs, const float* outputs,
                           const float* slopes, float* weights_gradient, float* biases_gradient,
                           const Parallel&);
  void (*inputs_gradient)(const Dense&, const float* weights, const float* outputs,
                          const float* slopes, float* inputs_gradient, const Parallel&);
};
