#include "store/metrics/column_writer.h"

#include <xxhash.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <optional>

#include "base/check.h"
#include "store/metrics/column_codec.h"

namespace binnacle::store::metrics {
namespace {

constexpr std::string_view kBucketLabel = "le";
constexpr size_t kMaxHeldSeries = 256;
constexpr size_t kMaxHeldSamples = size_t{1} << 20;
// A column this short is not worth a link to its like.
constexpr size_t kShortColumnBytes = 8;
constexpr size_t kSeenColumns = size_t{1} << 16;

// Where the bytes of a bucket's labels are cut: before its `le`, and after.
struct BucketLabels {
  std::string_view before;
  std::string_view after;
  double bound = 0;
};

std::optional<BucketLabels> bucket_labels(const model::Labels& labels) {
  const std::string_view packed = labels.packed();
  for (const model::Label& label : labels) {
    if (label.name != kBucketLabel) continue;
    BucketLabels out;
    const char* const end = label.value.data() + label.value.size();
    const char* const digits = label.value.data() + (label.value.starts_with('+') ? 1 : 0);
    if (std::from_chars(digits, end, out.bound).ptr != end || std::isnan(out.bound)) return {};
    // The length byte of a name of two letters is one byte.
    out.before = packed.substr(0, static_cast<size_t>(label.name.data() - packed.data()) - 1);
    out.after = packed.substr(static_cast<size_t>(end - packed.data()));
    return out;
  }
  return {};
}

}  // namespace

struct ColumnWriter::Held {
  model::Labels labels;
  std::optional<BucketLabels> bucket;  // views of `labels`
  std::vector<double> values;
  std::vector<ChunkRecord> chunks;
  std::vector<uint32_t> depths;      // steps of each chunk's chain
  std::vector<std::string> encoded;  // one for each chunk
  std::vector<uint32_t> sizes;       // samples of each chunk

  std::span<const double> chunk_values(size_t chunk) const {
    return std::span(values).subspan(chunk * kMaxChunkSamples, sizes[chunk]);
  }
};

ColumnWriter::ColumnWriter(ColumnPagesWriter& pages, IndexBuilder& index, uint64_t seed)
    : pages_(pages), index_(index), seed_(seed), seen_(kSeenColumns) {
  held_.reserve(kMaxHeldSeries);  // the views in it must hold
}

ColumnWriter::~ColumnWriter() = default;

ColumnWriter::Hash ColumnWriter::hash_of(const void* bytes, size_t size) const {
  const XXH128_hash_t hash = XXH3_128bits_withSeed(bytes, size, seed_);
  return {hash.low64, hash.high64};
}

Result<uint32_t> ColumnWriter::time_column(std::span<const int64_t> times_ms) {
  const auto [it, is_new] =
      time_columns_.try_emplace(hash_of(times_ms.data(), times_ms.size_bytes()), 0);
  if (!is_new) return it->second;
  std::string bytes;
  encode_times(times_ms, Effort::kSmall, bytes);
  it->second = index_.add_time_column({times_ms.front(), times_ms.back(),
                                       static_cast<uint32_t>(times_ms.size()),
                                       static_cast<uint32_t>(bytes.size()), 0});
  const uint32_t number = it->second;
  TRY(pages_.add(ColumnStream::kTimes, bytes));
  return number;
}

bool ColumnWriter::joins(const Held& held) const {
  if (held_.empty()) return true;
  return held.bucket && held_.front().bucket &&
         held.bucket->before == held_.front().bucket->before && held_.size() < kMaxHeldSeries &&
         held_samples_ + held.values.size() <= kMaxHeldSamples;
}

Status ColumnWriter::add(model::LabelsView labels, std::span<const int64_t> times_ms,
                         std::span<const double> values) {
  Held held;
  held.labels = model::Labels(labels);
  held.values.assign(values.begin(), values.end());
  for (size_t at = 0; at < times_ms.size(); at += kMaxChunkSamples) {
    const auto times =
        times_ms.subspan(at, std::min<size_t>(kMaxChunkSamples, times_ms.size() - at));
    ChunkRecord chunk;
    TRY_ASSIGN(chunk.time_column, time_column(times));
    held.chunks.push_back(chunk);
    held.sizes.push_back(static_cast<uint32_t>(times.size()));
  }
  held.depths.resize(held.chunks.size());
  held.encoded.resize(held.chunks.size());
  held.bucket = bucket_labels(held.labels);
  if (!joins(held)) TRY(flush());
  held_samples_ += held.values.size();
  held_.push_back(std::move(held));
  // Short strings move their bytes along, so the views are taken again where the string stays.
  held_.back().bucket = bucket_labels(held_.back().labels);
  return {};
}

Status ColumnWriter::flush() {
  const uint32_t first_series = index_.series();
  std::vector<size_t> order(held_.size());
  std::iota(order.begin(), order.end(), 0);
  if (held_.size() > 1) {
    std::ranges::sort(order, [&](size_t a, size_t b) {
      const BucketLabels &x = *held_[a].bucket, &y = *held_[b].bucket;
      return std::tie(x.after, x.bound, a) < std::tie(y.after, y.bound, b);
    });
  }
  for (size_t i = 0; i < order.size(); ++i) {
    const bool has_lower =
        i > 0 && held_[order[i]].bucket->after == held_[order[i - 1]].bucket->after;
    const size_t lower_at = has_lower ? order[i - 1] : 0;
    encode(first_series, order[i], has_lower ? &held_[lower_at] : nullptr, lower_at);
  }
  for (const Held& held : held_) {
    for (const std::string& column : held.encoded) TRY(pages_.add(ColumnStream::kValues, column));
    index_.add(held.labels, held.chunks);
  }
  held_.clear();
  held_samples_ = 0;
  return {};
}

void ColumnWriter::encode(uint32_t first_series, size_t at, const Held* lower, size_t lower_at) {
  for (size_t chunk = 0; chunk < held_[at].chunks.size(); ++chunk) {
    encode_chunk(held_[at], chunk, first_series + static_cast<uint32_t>(at), lower,
                 first_series + static_cast<uint32_t>(lower_at));
  }
}

void ColumnWriter::encode_chunk(Held& held, size_t chunk, uint32_t series, const Held* lower,
                                uint32_t lower_series) {
  const auto values = held.chunk_values(chunk);
  ChunkRecord& record = held.chunks[chunk];
  std::string& bytes = held.encoded[chunk];
  const Hash hash = hash_of(values.data(), values.size_bytes());
  Seen& seen = seen_[hash.low % kSeenColumns];
  if (seen.used && seen.hash == hash && seen.chunk == chunk && seen.depth < kMaxLinkSteps) {
    record.link = Link::kSame;
    record.other_series = seen.series;
    held.depths[chunk] = seen.depth + 1;
    return;
  }
  encode_values(values, Effort::kSmall, bytes);
  const bool comparable = lower != nullptr && chunk < lower->chunks.size() &&
                          lower->chunks[chunk].time_column == record.time_column &&
                          lower->depths[chunk] < kMaxLinkSteps;
  std::string difference;
  if (comparable &&
      encode_values_against(values, lower->chunk_values(chunk), bytes.size(), difference)) {
    bytes = std::move(difference);
    record.link = Link::kAgainst;
    record.other_series = lower_series;
    held.depths[chunk] = lower->depths[chunk] + 1;
  }
  record.bytes = static_cast<uint32_t>(bytes.size());
  if (bytes.size() > kShortColumnBytes)
    seen = {hash, series, static_cast<uint32_t>(chunk), held.depths[chunk], true};
}

}  // namespace binnacle::store::metrics
