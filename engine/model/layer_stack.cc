#include "engine/model/layer_stack.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/clock.h"
#include "base/file_system.h"
#include "engine/model/attention.h"
#include "engine/model/batch.h"
#include "engine/model/check_step.h"
#include "engine/model/feed_forward.h"
#include "engine/model/flush_denormals.h"
#include "engine/model/products.h"

namespace binnacle::engine {
namespace {

class LayerStack final : public Forward {
 public:
  LayerStack(std::unique_ptr<ModelFolder> folder, RangeWeights weights, const Kernels& kernels,
             std::unique_ptr<RoutingLog> log, const LayerStackOptions& options)
      : folder_(std::move(folder)),
        weights_(std::move(weights)),
        layers_(options.layers),
        kernels_(kernels),
        log_(std::move(log)),
        team_(options.threads),
        cache_(config(), layers_, options.kv_positions),
        experts_(options.expert_cache_bytes),
        pages_experts_(options.expert_cache_bytes > 0 && config().experts > 0),
        attention_(config(), kernels_, team_, cache_),
        feed_forward_(config(), layers_, kernels_, team_, pages_experts_ ? &experts_ : nullptr,
                      log_.get()),
        layer_seconds_(static_cast<size_t>(layers_.size())) {}

  Result<StepResult> run(const Step& step) override;

  void release(SequenceId sequence) override { cache_.pages().release(sequence); }
  LayerRange layers() const override { return layers_; }
  const ModelConfig& config() const override { return folder_->config(); }
  KvUsage kv_usage() const override { return cache_.usage(); }
  ForwardStats stats() const override;
  std::string kernel() const override { return kernel_name(kernels_, folder_->number_type()); }

 private:
  Rows rows_of_step(const Step& step);
  void begin(const Step& step);
  void compute_layer(int32_t layer, const Rows& rows);
  Status check_numbers(const Rows& rows) const;
  Result<StepResult> finish(const Step& step);
  void add_to_x(int64_t rows, std::span<const float> more);
  int64_t hidden() const { return config().hidden; }

  // Fixed after construction. The weights point into the folder's mapping.
  const std::unique_ptr<ModelFolder> folder_;
  const RangeWeights weights_;
  const LayerRange layers_;
  const Kernels& kernels_;
  const std::unique_ptr<RoutingLog> log_;
  const SystemClock clock_;

  ThreadTeam team_;
  KvCache cache_;
  ExpertCache experts_;
  const bool pages_experts_;
  Attention attention_;
  FeedForwardBlock feed_forward_;
  std::vector<double> layer_seconds_;
  // Of this step: rows x hidden.
  std::vector<float> x_, normed_, more_;
  std::vector<float> logits_;
};

Rows LayerStack::rows_of_step(const Step& step) {
  Rows rows;
  for (const Slice& slice : step.slices) {
    const KvPages::Sequence& held = cache_.pages().at(slice.sequence);
    cache_.hold(held);
    for (int32_t r = 0; r < slice.rows; ++r) {
      rows.push_back({slice.sequence, slice.first_position + r, &held});
    }
  }
  return rows;
}

void LayerStack::begin(const Step& step) {
  if (layers_.begin > 0) {
    x_ = step.hidden;
    return;
  }
  const auto width = static_cast<size_t>(hidden());
  x_.resize(step.tokens.size() * width);
  for (size_t row = 0; row < step.tokens.size(); ++row) {
    to_floats(weights_.embed, step.tokens[row], std::span(x_).subspan(row * width, width));
  }
}

void LayerStack::add_to_x(int64_t rows, std::span<const float> more) {
  for_each_row(team_, rows, hidden(), [&](int64_t row) {
    kernels_.add_scaled(x_.data() + row * hidden(), more.data() + row * hidden(), 1, hidden());
  });
}

void LayerStack::compute_layer(int32_t layer, const Rows& rows) {
  const LayerWeights& weights = weights_.layers[static_cast<size_t>(layer)];
  const int64_t count = std::ssize(rows);
  const auto norm = [&](const std::vector<float>& by) {
    for_each_row(team_, count, hidden(), [&](int64_t row) {
      kernels_.rms_norm(x_.data() + row * hidden(), by.data(), hidden(), config().rms_epsilon,
                        normed_.data() + row * hidden());
    });
  };
  norm(weights.attention_norm);
  attention_.run(layer, weights, rows, normed_, more_);
  add_to_x(count, more_);
  norm(weights.ffn_norm);
  feed_forward_.run(layer, weights, rows, normed_, more_);
  add_to_x(count, more_);
}

Status LayerStack::check_numbers(const Rows& rows) const {
  for (size_t i = 0; i < x_.size(); ++i) {
    if (std::isfinite(x_[i])) continue;
    const Row& row = rows[i / static_cast<size_t>(hidden())];
    return fail(Code::kDataLoss,
                fmt::format("layers {} to {} gave {} for sequence {} at position {}: weights or "
                            "activations are broken; check the model's files",
                            layers_.begin, layers_.end, x_[i], row.sequence, row.position));
  }
  return {};
}

Result<StepResult> LayerStack::finish(const Step& step) {
  StepResult result;
  if (layers_.end != config().layers) {
    result.hidden = x_;
    return result;
  }
  int64_t wanted = 0;
  int64_t end = 0;
  for (const Slice& slice : step.slices) {
    end += slice.rows;
    if (!slice.sampling) continue;
    kernels_.rms_norm(x_.data() + (end - 1) * hidden(), weights_.norm.data(), hidden(),
                      config().rms_epsilon, normed_.data() + wanted++ * hidden());
  }
  const auto vocabulary = static_cast<size_t>(config().vocabulary);
  logits_.resize(static_cast<size_t>(wanted) * vocabulary);
  const Product head{weights_.head, normed_.data(), hidden(),
                     wanted,        logits_.data(), config().vocabulary};
  if (wanted > 0) multiply(team_, kernels_, std::span(&head, 1));
  size_t at = 0;
  for (const Slice& slice : step.slices) {
    if (!slice.sampling) continue;
    const auto logits = std::span<const float>(logits_).subspan(at++ * vocabulary, vocabulary);
    auto choice = choose_token(logits, *slice.sampling, int64_t{slice.first_position} + slice.rows);
    if (!choice) {
      return fail(
          std::move(choice.error()).with_context(fmt::format("sequence {}", slice.sequence)));
    }
    result.choices.push_back(std::move(*choice));
  }
  return result;
}

Result<StepResult> LayerStack::run(const Step& step) {
  const FlushDenormals flush;
  TRY(check_step(step, config(), layers_));
  TRY(cache_.pages().prepare(step.slices));
  const Rows rows = rows_of_step(step);
  begin(step);
  normed_.resize(x_.size());
  more_.resize(x_.size());
  attention_.begin_step(rows);
  int64_t before_ns = clock_.monotonic_ns();
  for (int32_t layer = 0; layer < layers_.size(); ++layer) {
    compute_layer(layer, rows);
    const int64_t now_ns = clock_.monotonic_ns();
    layer_seconds_[static_cast<size_t>(layer)] += static_cast<double>(now_ns - before_ns) * 1e-9;
    before_ns = now_ns;
  }
  if (log_ != nullptr) log_->flush();
  const Status numbers = check_numbers(rows);
  Result<StepResult> result = numbers ? finish(step) : fail(numbers.error());
  if (!result) cache_.pages().undo(step.slices);
  return result;
}

ForwardStats LayerStack::stats() const {
  ForwardStats stats;
  stats.layer_seconds = layer_seconds_;
  stats.expert_rows = feed_forward_.expert_rows();
  stats.expert_cache_hits = experts_.hits();
  stats.expert_cache_misses = experts_.misses();
  stats.weight_bytes = weights_.bytes;
  if (pages_experts_) stats.weight_bytes += experts_.bytes_held() - weights_.expert_bytes;
  return stats;
}

Status check_options(const LayerStackOptions& options, const ModelConfig& config) {
  const LayerRange layers = options.layers;
  if (layers.begin < 0 || layers.size() <= 0 || layers.end > config.layers) {
    return fail(Code::kInvalidArgument, fmt::format("layers {} to {} of a model with {}",
                                                    layers.begin, layers.end, config.layers));
  }
  if (options.threads < 1 || options.threads > 1024) {
    return fail(Code::kInvalidArgument, fmt::format("{} threads, not 1 to 1024", options.threads));
  }
  if (options.kv_positions < 1 || options.kv_positions > INT32_MAX) {
    return fail(Code::kInvalidArgument,
                fmt::format("kv_positions of {}, not 1 to {}", options.kv_positions, INT32_MAX));
  }
  return {};
}

Status check_expert_cache(int64_t bytes, const RangeWeights& weights) {
  if (bytes <= 0) return {};
  for (const LayerWeights& layer : weights.layers) {
    for (const FeedForward& expert : layer.experts) {
      if (expert.bytes() <= bytes) continue;
      return fail(Code::kInvalidArgument,
                  fmt::format("expert_cache_bytes of {} holds no expert of {} bytes; 0 holds all",
                              bytes, expert.bytes()));
    }
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Forward>> load_layer_stack(const std::string& model_folder,
                                                  const LayerStackOptions& options) {
  TRY_ASSIGN(const Kernels* kernels, kernels_named(options.instructions));
  TRY_ASSIGN(std::unique_ptr<ModelFolder> folder, ModelFolder::open(model_folder));
  TRY(check_options(options, folder->config()));
  TRY_ASSIGN(RangeWeights weights, read_weights(*folder, options.layers));
  TRY(check_expert_cache(options.expert_cache_bytes, weights));
  std::unique_ptr<RoutingLog> log;
  if (!options.expert_routing_log.empty() && folder->config().experts > 0) {
    TRY_ASSIGN(log, RoutingLog::open(real_file_system(), options.expert_routing_log,
                                     options.expert_routing_log_bytes));
  }
  return std::make_unique<LayerStack>(std::move(folder), std::move(weights), *kernels,
                                      std::move(log), options);
}

}  // namespace binnacle::engine
