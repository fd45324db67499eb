#include "store/metrics/head_image.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace binnacle::store::metrics {
namespace {

// The chunks of `sealed` that may hold times within the range: where they begin, what the first is
// relative to, where they end.
struct Overlap {
  size_t begin = 0;
  size_t end = 0;
  SealedChunk before;
};

Overlap overlap(std::string_view sealed, int64_t min_ms, int64_t max_ms) {
  Overlap found;
  SealedChunkReader reader(sealed);
  SealedChunk chunk;
  for (;;) {
    const size_t at = sealed.size() - reader.rest().size();
    const SealedChunk before = chunk;
    if (!reader.next(chunk) || chunk.first_ms > max_ms) break;
    if (chunk.first_ms <= min_ms) {
      found.begin = at;
      found.before = before;
    }
    found.end = sealed.size() - reader.rest().size();
  }
  return found;
}

}  // namespace

Status HeadImage::reserve(size_t series) {
  TRY(held_.set(bytes_.capacity() + series * sizeof(Entry)));
  entries_.reserve(series);
  return charge();
}

Status HeadImage::charge() {
  return held_.set(bytes_.capacity() + entries_.capacity() * sizeof(Entry) +
                   before_.capacity() * sizeof(SealedChunk));
}

void HeadImage::put(int64_t timestamp_ms, double value) {
  bytes_.append(reinterpret_cast<const char*>(&timestamp_ms), sizeof(timestamp_ms));
  bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

model::Sample HeadImage::at(size_t offset, size_t i) const {
  model::Sample sample;
  const char* from = bytes_.data() + offset + i * kSampleBytes;
  std::memcpy(&sample.timestamp_ms, from, sizeof(int64_t));
  std::memcpy(&sample.value, from + sizeof(int64_t), sizeof(double));
  return sample;
}

bool HeadImage::copy_newest(const HeadSeries& series, int64_t min_ms, int64_t max_ms,
                            uint32_t hidden, Entry& entry) {
  if (!series.late().empty()) return false;
  size_t i = series.open_count() - std::min<size_t>(hidden, series.open_count());
  while (i > 0 && series.open_time(i - 1) > max_ms) --i;
  if (i == 0 || series.open_time(i - 1) < min_ms) return false;
  put(series.open_time(i - 1), series.open_value(i - 1));
  entry.open_count = 1;
  return true;
}

bool HeadImage::copy(const HeadSeries& series, int64_t min_ms, int64_t max_ms, uint32_t hidden,
                     std::optional<CommitNumber> snapshot, Entry& entry) {
  if (only_newest_ && copy_newest(series, min_ms, max_ms, hidden, entry)) return true;
  const size_t from_open = std::min<size_t>(hidden, series.open_count());
  entry.hidden = hidden - static_cast<uint32_t>(from_open);
  const std::string_view sealed = series.sealed();
  if (!sealed.empty() && (series.open_count() == 0 || series.open_time(0) > min_ms)) {
    Overlap part = overlap(sealed, min_ms, max_ms);
    if (entry.hidden > 0) part.end = sealed.size();
    entry.sealed_size = static_cast<uint32_t>(part.end - part.begin);
    if (part.before.count > 0) {
      entry.before = static_cast<uint32_t>(before_.size());
      before_.push_back(part.before);
    }
    bytes_ += sealed.substr(part.begin, entry.sealed_size);
  }
  for (size_t i = 0; i + from_open < series.open_count(); ++i) {
    const int64_t at_ms = series.open_time(i);
    if (at_ms < min_ms || at_ms > max_ms) continue;
    put(at_ms, series.open_value(i));
    ++entry.open_count;
  }
  for (const LateSample& sample : series.late()) {
    if (sample.timestamp_ms < min_ms || sample.timestamp_ms > max_ms) continue;
    if (snapshot && newer(sample.commit, *snapshot)) continue;
    put(sample.timestamp_ms, sample.value);
    ++entry.late_count;
  }
  return entry.sealed_size + entry.open_count + entry.late_count > 0;
}

model::LabelsView HeadImage::labels(size_t i) const {
  return model::LabelsView(packed(entries_[i]));
}

void HeadImage::sort() {
  std::sort(entries_.begin(), entries_.end(), [this](const Entry& a, const Entry& b) {
    return model::compare(model::LabelsView(packed(a)), model::LabelsView(packed(b))) < 0;
  });
}

void HeadImage::clear() {
  bytes_.clear();
  entries_.clear();
  before_.clear();
}

Status HeadImage::decode(size_t i, int64_t min_ms, int64_t max_ms, std::vector<int64_t>& times_ms,
                         std::vector<double>& values) const {
  const Entry& entry = entries_[i];
  times_ms.clear();
  values.clear();
  SealedChunkReader reader(std::string_view(bytes_).substr(entry.at, entry.sealed_size),
                           entry.before == kNone ? SealedChunk{} : before_[entry.before]);
  for (SealedChunk chunk; reader.next(chunk);) TRY(decode_chunk(chunk, times_ms, values));
  CHECK(reader.ok() && entry.hidden <= times_ms.size());
  times_ms.resize(times_ms.size() - entry.hidden);
  const auto to = std::upper_bound(times_ms.begin(), times_ms.end(), max_ms);
  const auto from = std::lower_bound(times_ms.begin(), to, min_ms);
  values.resize(static_cast<size_t>(to - times_ms.begin()));
  values.erase(values.begin(), values.begin() + (from - times_ms.begin()));
  times_ms.erase(to, times_ms.end());
  times_ms.erase(times_ms.begin(), from);
  for (size_t k = 0; k < entry.open_count; ++k) {
    const model::Sample sample = at(entry.open_at(), k);
    times_ms.push_back(sample.timestamp_ms);
    values.push_back(sample.value);
  }
  for (size_t k = 0; k < entry.late_count; ++k) {
    const model::Sample sample = at(entry.late_at(), k);
    const auto place = std::lower_bound(times_ms.begin(), times_ms.end(), sample.timestamp_ms);
    const auto offset = place - times_ms.begin();
    if (place != times_ms.end() && *place == sample.timestamp_ms) {
      values[static_cast<size_t>(offset)] = sample.value;
      continue;
    }
    times_ms.insert(place, sample.timestamp_ms);
    values.insert(values.begin() + offset, sample.value);
  }
  return {};
}

}  // namespace binnacle::store::metrics
