#include "engine/train/adam_w.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace binnacle::engine {

double learning_rate(const OptimizerSettings& s, int64_t step, int64_t steps) {
  if (step < s.warm_up_steps) {
    return s.learning_rate * static_cast<double>(step + 1) / static_cast<double>(s.warm_up_steps);
  }
  const double whole = static_cast<double>(std::max<int64_t>(1, steps - s.warm_up_steps));
  const double done = std::min(1.0, static_cast<double>(step - s.warm_up_steps) / whole);
  const double cosine = (1 + std::cos(std::numbers::pi * done)) / 2;
  return s.learning_rate * (s.last_rate_ratio + (1 - s.last_rate_ratio) * cosine);
}

AdamW::AdamW(const OptimizerSettings& settings, const std::vector<ParameterRange>& ranges,
             int64_t size)
    : first(static_cast<size_t>(size)),
      second(static_cast<size_t>(size)),
      settings_(settings),
      ranges_(ranges) {}

void AdamW::update(std::span<float> parameters, std::span<const float> gradients,
                   double gradient_scale, double rate, int64_t updates) {
  const auto count = static_cast<double>(updates + 1);
  const auto beta1 = static_cast<float>(settings_.beta1);
  const auto beta2 = static_cast<float>(settings_.beta2);
  const auto scale = static_cast<float>(gradient_scale);
  const auto epsilon = static_cast<float>(settings_.epsilon);
  const auto whole1 = static_cast<float>(1 / (1 - std::pow(settings_.beta1, count)));
  const auto whole2 = static_cast<float>(1 / (1 - std::pow(settings_.beta2, count)));
  const auto step = static_cast<float>(rate);
  for (const ParameterRange& range : ranges_) {
    const auto keep =
        range.shape.size() < 2 ? 1.0F : static_cast<float>(1 - rate * settings_.weight_decay);
    const auto begin = static_cast<size_t>(range.offset);
    const auto n = static_cast<size_t>(range.size);
    float* p = parameters.data() + begin;
    const float* g = gradients.data() + begin;
    float* m = first.data() + begin;
    float* v = second.data() + begin;
    for (size_t i = 0; i < n; ++i) {
      const float gradient = g[i] * scale;
      m[i] = beta1 * m[i] + (1 - beta1) * gradient;
      v[i] = beta2 * v[i] + (1 - beta2) * gradient * gradient;
      p[i] = keep * p[i] - step * (m[i] * whole1) / (std::sqrt(v[i] * whole2) + epsilon);
    }
  }
}

double length_of(std::span<const float> values) {
  // Eight sums, so that additions need not wait for each other.
  std::array<double, 8> sums{};
  size_t i = 0;
  for (; i + sums.size() <= values.size(); i += sums.size()) {
    for (size_t j = 0; j < sums.size(); ++j) {
      const double value = values[i + j];
      sums[j] += value * value;
    }
  }
  for (; i < values.size(); ++i) sums[0] += static_cast<double>(values[i]) * values[i];
  double sum = 0;
  for (const double one : sums) sum += one;
  return std::sqrt(sum);
}

}  // namespace binnacle::engine
