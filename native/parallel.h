// Work for several threads.
#pragma once

#include <cstdint>
#include <functional>

// Runs work(0) to work(count - 1), on several threads, in any order.
using Parallel = std::function<void(int64_t count, const std::function<void(int64_t)>& work)>;
