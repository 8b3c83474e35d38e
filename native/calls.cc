// The processor's routines, and work shared with XLA's threads.
#include "calls.h"

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>

const Routines* routines() {
#if defined(__x86_64__)
  static const Routines* const found = [] () -> const Routines* {
    __builtin_cpu_init();
    const char* const asked = std::getenv("DOWNSLOPE_NATIVE");
    const bool is_plain = asked != nullptr && std::strcmp(asked, "avx2") == 0;
    if (__builtin_cpu_supports("avx512f") && !is_plain) return &kAvx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &kAvx2;
    return nullptr;
  }();
  return found;
#else
  return nullptr;
#endif
}

namespace {

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

}  // namespace

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

// The instructions that are used, or null where this processor has none of them.
extern "C" const char* downslope_instructions() {
  return routines() == nullptr ? nullptr : routines()->name;
}
