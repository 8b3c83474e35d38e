// The processor's routines, and work shared with XLA's threads.
#include "calls.h"

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <exception>
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
  std::atomic<bool> has_failed{false};
  int64_t count;
  const std::function<void(int64_t)>* work;  // on the caller's stack: for tasks that count alone
  std::mutex mutex;
  std::condition_variable finished;
  std::exception_ptr failure;  // the first; read when all tasks are done

  // A task that fails is done as well, and those behind it are left out: the caller waits for all.
  void take_tasks() {
    for (int64_t task; (task = next.fetch_add(1)) < count;) {
      if (!has_failed.load()) take(task);
      if (done.fetch_add(1) + 1 == count) {
        std::lock_guard<std::mutex> lock(mutex);
        finished.notify_all();
      }
    }
  }

  void take(int64_t task) {
    try {
      (*work)(task);
    } catch (...) {
      std::lock_guard<std::mutex> lock(mutex);
      if (!has_failed.exchange(true)) failure = std::current_exception();
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
    try {
      for (int64_t helper = 0; helper < helpers; ++helper)
        pool.Schedule([shared] { shared->take_tasks(); });
    } catch (const std::bad_alloc&) {
    }  // with fewer helpers it takes longer
    shared->take_tasks();
    std::unique_lock<std::mutex> lock(shared->mutex);
    shared->finished.wait(lock, [&] { return shared->done.load() == count; });
    if (shared->failure) std::rethrow_exception(shared->failure);
  };
}

// The instructions that are used, or null where this processor has none of them.
extern "C" const char* downslope_instructions() {
  return routines() == nullptr ? nullptr : routines()->name;
}
