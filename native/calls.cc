// The calls that XLA makes, through its foreign-function interface.
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "convolution.h"
#include "xla/ffi/api/ffi.h"

namespace ffi = xla::ffi;
using Floats = ffi::Buffer<ffi::F32>;
using Places = ffi::Buffer<ffi::U8>;

namespace {

const Routines* routines() {
#if defined(__x86_64__)
  static const Routines* const found = [] () -> const Routines* {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f")) return &kAvx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &kAvx2;
    return nullptr;
  }();
  return found;
#else
  return nullptr;
#endif
}

// What the threads that work on one call share; it lives until the last of them has looked.
struct Shared {
  std::atomic<int64_t> next{0};
  std::atomic<int64_t> done{0};
  int64_t count;
  const std::function<void(int64_t)>* work;
  std::mutex mutex;
  std::condition_variable finished;

  void take_tasks() {
    for (int64_t task; (task = next.fetch_add(1)) < count;) {
      (*work)(task);
      if (done.fetch_add(1) + 1 == count) {
        std::lock_guard<std::mutex> lock(mutex);
        finished.notify_all();
      }
    }
  }
};

// The caller works too and waits only for tasks that others have begun: a pool whose threads are
// all busy, even all in calls like this one, delays nobody.
Parallel on_threads_of(ffi::ThreadPool& pool) {
  return [&pool](int64_t count, const std::function<void(int64_t)>& work) {
    const int64_t helpers = std::min<int64_t>(pool.num_threads(), count) - 1;
    if (helpers < 1) {
      for (int64_t task = 0; task < count; ++task) work(task);
      return;
    }
    auto shared = std::make_shared<Shared>();
    shared->count = count;
    shared->work = &work;
    for (int64_t helper = 0; helper < helpers; ++helper)
      pool.Schedule([shared] { shared->take_tasks(); });
    shared->take_tasks();
    std::unique_lock<std::mutex> lock(shared->mutex);
    shared->finished.wait(lock, [&] { return shared->done.load() == count; });
  };
}

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

ffi::Error forward(ffi::ThreadPool threads, Floats inputs, Floats kernel, Floats biases,
                   GEOMETRY_ARGUMENTS, ffi::Result<Floats> outputs, ffi::Result<Places> where) {
  routines()->forward(described(GEOMETRY, inputs.dimensions(), kernel.dimensions()),
                      inputs.typed_data(), kernel.typed_data(), biases.typed_data(),
                      outputs->typed_data(), where->typed_data(), on_threads_of(threads));
  return ffi::Error::Success();
}

ffi::Error kernel_gradient(ffi::ThreadPool threads, Floats inputs, Floats outputs, Places where,
                           Floats slopes, GEOMETRY_ARGUMENTS, ffi::Result<Floats> gradient,
                           ffi::Result<Floats> bias_gradient) {
  const int64_t slots = 2 * std::max<int64_t>(threads.num_threads(), 1);
  routines()->kernel_gradient(described(GEOMETRY, inputs.dimensions(), gradient->dimensions()),
                              inputs.typed_data(), outputs.typed_data(), where.typed_data(),
                              slopes.typed_data(), slots, gradient->typed_data(),
                              bias_gradient->typed_data(), on_threads_of(threads));
  return ffi::Error::Success();
}

ffi::Error inputs_gradient(ffi::ThreadPool threads, Floats kernel, Floats outputs, Places where,
                           Floats slopes, GEOMETRY_ARGUMENTS, ffi::Result<Floats> gradient) {
  routines()->inputs_gradient(described(GEOMETRY, gradient->dimensions(), kernel.dimensions()),
                              kernel.typed_data(), outputs.typed_data(), where.typed_data(),
                              slopes.typed_data(), gradient->typed_data(),
                              on_threads_of(threads));
  return ffi::Error::Success();
}

}  // namespace

// The instructions that are used, or null where this processor has none of them.
extern "C" const char* downslope_instructions() {
  return routines() == nullptr ? nullptr : routines()->name;
}

XLA_FFI_DEFINE_HANDLER_SYMBOL(downslope_forward, forward,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<Floats>().Arg<Floats>().Arg<Floats>()
                                  GEOMETRY_ATTRIBUTES.Ret<Floats>().Ret<Places>());

XLA_FFI_DEFINE_HANDLER_SYMBOL(downslope_kernel_gradient, kernel_gradient,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<Floats>().Arg<Floats>().Arg<Places>().Arg<Floats>()
                                  GEOMETRY_ATTRIBUTES.Ret<Floats>().Ret<Floats>());

XLA_FFI_DEFINE_HANDLER_SYMBOL(downslope_inputs_gradient, inputs_gradient,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<Floats>().Arg<Floats>().Arg<Places>().Arg<Floats>()
                                  GEOMETRY_ATTRIBUTES.Ret<Floats>());
