// Simulated time in milliseconds: what is put in for a moment comes out in that moment, in the
// order it was put in. A ring of slots for what is near, since nearly everything is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace binnacle::watch::heartbeat {

struct SimEvent {
  uint8_t kind = 0;
  uint8_t flag = 0;
  uint32_t node = 0;
  uint64_t a = 0;
  uint64_t b = 0;
  uint64_t c = 0;
};

class Timeline {
 public:
  int64_t now_ms() const { return now_ms_; }

  void at(int64_t time_ms, const SimEvent& event) {
    if (time_ms - now_ms_ < kSlots) {
      slots_[static_cast<size_t>(time_ms) % kSlots].push_back(event);
    } else {
      far_.emplace(time_ms, event);
    }
  }

  // Hands everything up to `end_ms` to `handle`, which may put in more, for now as well.
  template <typename Handle>
  void run(int64_t end_ms, const Handle& handle) {
    for (; now_ms_ < end_ms; ++now_ms_) {
      while (!far_.empty() && far_.begin()->first - now_ms_ < kSlots) {
        slots_[static_cast<size_t>(far_.begin()->first) % kSlots].push_back(far_.begin()->second);
        far_.erase(far_.begin());
      }
      std::vector<SimEvent>& slot = slots_[static_cast<size_t>(now_ms_) % kSlots];
      for (size_t i = 0; i < slot.size(); ++i) handle(SimEvent(slot[i]));
      slot.clear();
    }
  }

 private:
  static constexpr int64_t kSlots = 4096;
  int64_t now_ms_ = 1'000;
  std::vector<std::vector<SimEvent>> slots_ = std::vector<std::vector<SimEvent>>(kSlots);
  std::multimap<int64_t, SimEvent> far_;
};

}  // namespace binnacle::watch::heartbeat
