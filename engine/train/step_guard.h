// Which steps are not to be applied: those whose loss or gradient is not a number, and those that
// lie 6 standard deviations over what was usual. Pure; every rank comes to the same judgement. One
// thread.
#pragma once

#include <cstdint>
#include <deque>
#include <string_view>

#include "engine/train/train_settings.h"

namespace binnacle::engine {

enum class StepVerdict : uint8_t { kApply, kNotANumber, kLossSpike, kGradientSpike };
std::string_view skip_reason(StepVerdict verdict);  // "loss_spike"

// The values of the last steps that were applied.
class SpikeWindow {
 public:
  bool spikes(double value, const GuardSettings& settings) const;
  void add(double value, const GuardSettings& settings);

  std::deque<double> values;  // oldest first: part of a checkpoint
};

class StepGuard {
 public:
  explicit StepGuard(const GuardSettings& settings) : settings_(settings) {}

  // Remembers the values of a step that is applied.
  StepVerdict judge(double loss, double gradient_norm);
  // kFailedPrecondition after too many skipped steps in a row.
  Status check_progress() const;

  SpikeWindow losses;  // part of a checkpoint, as are the norms and the row
  SpikeWindow norms;
  int64_t skipped_in_a_row = 0;

 private:
  const GuardSettings settings_;
};

}  // namespace binnacle::engine
