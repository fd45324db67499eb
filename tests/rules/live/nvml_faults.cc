// Loaded as NVIDIA's library: two GPUs of which, by BINNACLE_GPU_FAULT, the first reports an XID
// and the second is lost after a while ("sick"), or the driver answers no more ("stuck").
#include <chrono>
#include <cstdlib>
#include <string_view>
#include <thread>

#include "collect/gpu/testing/nvml_double.h"

extern "C" binnacle::collect::gpu::testing::DoubleState* nvml_double_state();

namespace {

constexpr auto kHealthyFirst = std::chrono::seconds(4);
constexpr unsigned kFellOffTheBus = 79;

void fall_ill(std::string_view how) {
  std::this_thread::sleep_for(kHealthyFirst);
  auto& state = *nvml_double_state();
  if (how == "stuck") {
    state.hang = true;
    return;
  }
  state.pending_xid = kFellOffTheBus;
  state.gpus[1].lost = true;
}

const bool kStarted = [] {
  const char* const how = std::getenv("BINNACLE_GPU_FAULT");
  nvml_double_state()->gpus[1].uuid = "GPU-1";
  if (how != nullptr) std::thread(fall_ill, how).detach();
  return true;
}();

}  // namespace
