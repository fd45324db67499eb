#include "engine/train/step_guard.h"

#include <fmt/format.h>

#include <cmath>

namespace binnacle::engine {
namespace {

// Values that stand still would make any change a spike.
constexpr double kLeastRelativeDeviation = 0.01;

}  // namespace

std::string_view skip_reason(StepVerdict verdict) {
  switch (verdict) {
    case StepVerdict::kNotANumber:
      return "nan";
    case StepVerdict::kLossSpike:
      return "loss_spike";
    case StepVerdict::kGradientSpike:
      return "gradient_spike";
    case StepVerdict::kApply:
      break;
  }
  return "";
}

bool SpikeWindow::spikes(double value, const GuardSettings& settings) const {
  if (static_cast<int64_t>(values.size()) < settings.spike_after) return false;
  double sum = 0;
  double squares = 0;
  for (const double one : values) sum += one;
  const double mean = sum / static_cast<double>(values.size());
  for (const double one : values) squares += (one - mean) * (one - mean);
  const double deviation = std::max(std::sqrt(squares / static_cast<double>(values.size())),
                                    kLeastRelativeDeviation * std::abs(mean));
  return value > mean + settings.spike_sigmas * deviation;
}

void SpikeWindow::add(double value, const GuardSettings& settings) {
  values.push_back(value);
  while (static_cast<int64_t>(values.size()) > settings.spike_window) values.pop_front();
}

StepVerdict StepGuard::judge(double loss, double gradient_norm) {
  StepVerdict verdict = StepVerdict::kApply;
  if (!std::isfinite(loss) || !std::isfinite(gradient_norm)) {
    verdict = StepVerdict::kNotANumber;
  } else if (losses.spikes(loss, settings_)) {
    verdict = StepVerdict::kLossSpike;
  } else if (norms.spikes(gradient_norm, settings_)) {
    verdict = StepVerdict::kGradientSpike;
  }
  if (verdict != StepVerdict::kApply) {
    ++skipped_in_a_row;
    return verdict;
  }
  skipped_in_a_row = 0;
  losses.add(loss, settings_);
  norms.add(gradient_norm, settings_);
  return verdict;
}

Status StepGuard::check_progress() const {
  if (skipped_in_a_row < settings_.max_skipped_in_a_row) return {};
  return fail(Code::kFailedPrecondition,
              fmt::format("no progress: {} steps in a row were skipped. Start again from an older "
                          "checkpoint with a lower --learning-rate, and look at the data",
                          skipped_in_a_row));
}

}  // namespace binnacle::engine
