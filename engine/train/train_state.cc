#include "engine/train/train_state.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string_view>

namespace binnacle::engine {
namespace {

constexpr double kDeviation = 0.02;

void fill_normal(std::span<float> out, double deviation, Random& random) {
  // Box and Muller; 1 - unit() is never 0.
  for (size_t i = 0; i < out.size(); i += 2) {
    const double radius = deviation * std::sqrt(-2 * std::log(1 - random.unit()));
    const double angle = 2 * std::numbers::pi * random.unit();
    out[i] = static_cast<float>(radius * std::cos(angle));
    if (i + 1 < out.size()) out[i + 1] = static_cast<float>(radius * std::sin(angle));
  }
}

int32_t layers_of(const std::vector<ParameterRange>& ranges) {
  return static_cast<int32_t>(std::count_if(ranges.begin(), ranges.end(), [](const auto& range) {
    return range.name.ends_with(".ffn_norm");
  }));
}

std::vector<double> pack(const TrainProgress& p) {
  std::vector<double> out{static_cast<double>(p.step), static_cast<double>(p.updates),
                          static_cast<double>(p.tokens), static_cast<double>(p.skipped_in_a_row),
                          static_cast<double>(p.losses.size())};
  out.insert(out.end(), p.losses.begin(), p.losses.end());
  out.insert(out.end(), p.norms.begin(), p.norms.end());
  return out;
}

Status unpack(const std::vector<double>& packed, TrainProgress& p) {
  constexpr size_t kHead = 5;
  if (packed.size() < kHead || packed[4] < 0 ||
      packed[4] > static_cast<double>(packed.size() - kHead)) {
    return fail(Code::kInvalidArgument, "rank 0 told of a state that is none");
  }
  p.step = static_cast<int64_t>(packed[0]);
  p.updates = static_cast<int64_t>(packed[1]);
  p.tokens = static_cast<int64_t>(packed[2]);
  p.skipped_in_a_row = static_cast<int64_t>(packed[3]);
  const auto middle = packed.begin() + kHead + static_cast<std::ptrdiff_t>(packed[4]);
  p.losses.assign(packed.begin() + kHead, middle);
  p.norms.assign(middle, packed.end());
  return {};
}

}  // namespace

TrainState::TrainState(TorchModel& trained, const TrainSettings& settings)
    : model(trained),
      optimizer(settings.optimizer, trained.ranges(), trained.size()),
      guard(settings.guard) {}

void TrainState::initialise(Random& random) {
  const double residual = kDeviation / std::sqrt(2.0 * layers_of(model.ranges()));
  for (const ParameterRange& range : model.ranges()) {
    const std::span<float> values =
        parameters().subspan(static_cast<size_t>(range.offset), static_cast<size_t>(range.size));
    if (range.shape.size() == 1) {
      std::fill(values.begin(), values.end(), 1.0F);
      continue;
    }
    const bool adds = range.name.ends_with(".o") || range.name.ends_with(".down");
    fill_normal(values, adds ? residual : kDeviation, random);
  }
}

std::span<float> TrainState::parameters() {
  return {model.parameters(), static_cast<size_t>(model.size())};
}

std::span<float> TrainState::gradients() {
  return {model.gradients(), static_cast<size_t>(model.size())};
}

CheckpointView TrainState::view() {
  return {progress, &model.ranges(), parameters(), optimizer.first, optimizer.second};
}

void TrainState::guard_to_progress() {
  progress.skipped_in_a_row = guard.skipped_in_a_row;
  progress.losses.assign(guard.losses.values.begin(), guard.losses.values.end());
  progress.norms.assign(guard.norms.values.begin(), guard.norms.values.end());
}

void TrainState::progress_to_guard() {
  guard.skipped_in_a_row = progress.skipped_in_a_row;
  guard.losses.values.assign(progress.losses.begin(), progress.losses.end());
  guard.norms.values.assign(progress.norms.begin(), progress.norms.end());
}

Status TrainState::share(Collective& collective) {
  guard_to_progress();
  TRY_ASSIGN(const auto told, collective.broadcast(parameters(), pack(progress)));
  TRY(collective.broadcast(optimizer.first, {}));
  TRY(collective.broadcast(optimizer.second, {}));
  TRY(unpack(told, progress));
  progress_to_guard();
  return {};
}

uint64_t settings_fingerprint(const TrainSettings& s) {
  const OptimizerSettings& o = s.optimizer;
  const GuardSettings& g = s.guard;
  const std::string text =
      fmt::format("{} {} {} {} {} | {} {} {} {} {} {} {} {} | {} {} {} | {} {} {}", s.rows,
                  s.length, s.steps, s.seed, s.ranks, o.learning_rate, o.last_rate_ratio,
                  o.warm_up_steps, o.beta1, o.beta2, o.epsilon, o.weight_decay, o.clip_norm,
                  g.spike_window, g.spike_after, g.spike_sigmas, s.shape.capacity_factor,
                  s.shape.config.load_balance_loss_weight, s.shape.config.z_loss_weight);
  return XXH3_64bits(text.data(), text.size());
}

}  // namespace binnacle::engine
