#include "collect/ship/send_round.h"

#include <algorithm>
#include <span>

#include "model/relabel.h"

namespace binnacle::collect::ship {

void RoundMaker::note_series(const std::string& packed) {
  const model::LabelsView labels{std::string_view(packed)};
  model::LabelsBuilder builder(labels);
  for (const auto& [name, value] : options_.external_labels) {
    if (labels.get(name).empty()) builder.set(name, value);
  }
  const bool kept = std::ranges::all_of(
      options_.write_relabel, [&](const model::RelabelRule& rule) { return rule.apply(builder); });
  const model::Labels made = kept ? builder.build() : model::Labels();
  fields_.push_back(label_fields(made));
  hashes_.push_back(static_cast<uint32_t>(made.hash()));
}

SendRound RoundMaker::make(const QueueChunk& chunk, int64_t now_ms) {
  if (chunk.new_segment) {
    fields_.clear();
    hashes_.clear();
  }
  for (const std::string& packed : chunk.new_series) note_series(packed);

  const size_t wanted =
      (chunk.samples.size() + options_.max_samples_per_send - 1) / options_.max_samples_per_send;
  const size_t shards = std::clamp(wanted, options_.min_shards, options_.max_shards);
  by_shard_.resize(shards);
  for (auto& samples : by_shard_) samples.clear();
  const int64_t oldest_ms =
      options_.sample_age_limit_ms > 0 ? now_ms - options_.sample_age_limit_ms : INT64_MIN;
  SendRound round;
  for (const QueuedSample& one : chunk.samples) {
    if (fields_[one.series].empty()) {
      ++round.relabelled;
    } else if (one.sample.timestamp_ms < oldest_ms) {
      ++round.too_old;
    } else {
      by_shard_[hashes_[one.series] % shards].push_back(one);
      ++round.samples;
    }
  }
  for (const auto& samples : by_shard_) {
    if (samples.empty()) continue;
    std::vector<ShipRequest>& requests = round.shards.emplace_back();
    for (std::span<const QueuedSample> rest(samples); !rest.empty();) {
      const auto some = rest.first(std::min(rest.size(), options_.max_samples_per_send));
      requests.push_back({std::string(encoder_.encode(some, fields_)), some.size()});
      rest = rest.subspan(some.size());
    }
  }
  return round;
}

std::vector<ShipRequest> RoundMaker::metadata(
    const std::vector<std::pair<std::string, model::MetricMetadata>>& metadata) {
  std::vector<ShipRequest> requests;
  for (std::span<const std::pair<std::string, model::MetricMetadata>> rest(metadata);
       !rest.empty();) {
    const auto some = rest.first(std::min(rest.size(), options_.max_metadata_per_send));
    requests.push_back({std::string(encoder_.encode(some)), some.size()});
    rest = rest.subspan(some.size());
  }
  return requests;
}

}  // namespace binnacle::collect::ship
