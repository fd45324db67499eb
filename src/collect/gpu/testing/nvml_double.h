// What a test tells the double of NVIDIA's library, which has the same C interface. The test finds
// the state by nvml_double_state() in the loaded library.
#pragma once

#include <atomic>
#include <cstdint>

namespace binnacle::collect::gpu::testing {

struct DoubleGpu {
  const char* uuid = "GPU-0";
  std::atomic<bool> lost{false};
  std::atomic<bool> listed{true};
  bool old_memory_only = false;
  unsigned mig_instances = 0;
  std::atomic<unsigned> utilization{0};
};

struct DoubleState {
  DoubleGpu gpus[2];
  std::atomic<int> init_result{0};
  std::atomic<unsigned> pending_xid{0};  // for GPU 0; taken by the next wait
  std::atomic<bool> hang{false};         // utilization is not answered until it is false again
  // Only the library can wake those that wait in it: a program has waiters of its own.
  void (*wake)() = nullptr;
  std::atomic<int> inits{0};
};

using FindState = DoubleState* (*)();

}  // namespace binnacle::collect::gpu::testing
