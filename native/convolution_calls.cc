// The calls that XLA makes for convolutions, through its foreign-function interface.
#include <algorithm>

#include "calls.h"

using Places = ffi::Buffer<ffi::U8>;

namespace {

struct Geometry {  // what the arrays' shapes do not tell
  int64_t stride, dilation, top, left, sums_high, sums_wide, pool, rectify;
};

Convolution described(const Geometry& g, ffi::Span<const int64_t> inputs,
                      ffi::Span<const int64_t> kernel) {
  return {inputs[0], inputs[1], inputs[2], inputs[3], kernel[0], kernel[1], kernel[3],
          g.stride, g.dilation, g.top, g.left, g.sums_high, g.sums_wide, g.pool, g.rectify != 0};
}

#define GEOMETRY_ATTRIBUTES                                                                     \
  .Attr<int64_t>("stride").Attr<int64_t>("dilation").Attr<int64_t>("top").Attr<int64_t>("left") \
      .Attr<int64_t>("sums_high").Attr<int64_t>("sums_wide").Attr<int64_t>("pool")              \
      .Attr<int64_t>("rectify")
#define GEOMETRY_ARGUMENTS                                                                   \
  int64_t stride, int64_t dilation, int64_t top, int64_t left, int64_t sums_high,            \
      int64_t sums_wide, int64_t pool, int64_t rectify
#define GEOMETRY {stride, dilation, top, left, sums_high, sums_wide, pool, rectify}

ffi::Error forward(ffi::ThreadPool threads, FloatBuffer inputs, FloatBuffer kernel, FloatBuffer biases,
                   GEOMETRY_ARGUMENTS, ffi::Result<FloatBuffer> outputs, ffi::Result<Places> where) {
  routines()->convolution.forward(described(GEOMETRY, inputs.dimensions(), kernel.dimensions()),
                      inputs.typed_data(), kernel.typed_data(), biases.typed_data(),
                      outputs->typed_data(), where->typed_data(), on_threads_of(threads));
  return ffi::Error::Success();
}

ffi::Error kernel_gradient(ffi::ThreadPool threads, FloatBuffer inputs, FloatBuffer outputs, Places where,
                           FloatBuffer slopes, GEOMETRY_ARGUMENTS, ffi::Result<FloatBuffer> gradient,
                           ffi::Result<FloatBuffer> bias_gradient) {
  const int64_t slots = 2 * std::max<int64_t>(threads.num_threads(), 1);
  routines()->convolution.kernel_gradient(described(GEOMETRY, inputs.dimensions(), gradient->dimensions()),
                              inputs.typed_data(), outputs.typed_data(), where.typed_data(),
                              slopes.typed_data(), slots, gradient->typed_data(),
                              bias_gradient->typed_data(), on_threads_of(threads));
  return ffi::Error::Success();
}

ffi::Error inputs_gradient(ffi::ThreadPool threads, FloatBuffer kernel, FloatBuffer outputs, Places where,
                           FloatBuffer slopes, GEOMETRY_ARGUMENTS, ffi::Result<FloatBuffer> gradient) {
  routines()->convolution.inputs_gradient(described(GEOMETRY, gradient->dimensions(), kernel.dimensions()),
                              kernel.typed_data(), outputs.typed_data(), where.typed_data(),
                              slopes.typed_data(), gradient->typed_data(),
                              on_threads_of(threads));
  return ffi::Error::Success();
}

}  // namespace

XLA_FFI_DEFINE_HANDLER_SYMBOL(downslope_forward, forward,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<FloatBuffer>().Arg<FloatBuffer>().Arg<FloatBuffer>()
                                  GEOMETRY_ATTRIBUTES.Ret<FloatBuffer>().Ret<Places>());

XLA_FFI_DEFINE_HANDLER_SYMBOL(downslope_kernel_gradient, kernel_gradient,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<FloatBuffer>().Arg<FloatBuffer>().Arg<Places>().Arg<FloatBuffer>()
                                  GEOMETRY_ATTRIBUTES.Ret<FloatBuffer>().Ret<FloatBuffer>());

XLA_FFI_DEFINE_HANDLER_SYMBOL(downslope_inputs_gradient, inputs_gradient,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<FloatBuffer>().Arg<FloatBuffer>().Arg<Places>().Arg<FloatBuffer>()
                                  GEOMETRY_ATTRIBUTES.Ret<FloatBuffer>());
