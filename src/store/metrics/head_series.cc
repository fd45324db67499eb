#include "store/metrics/head_series.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/bytes.h"
#include "base/check.h"
#include "store/metrics/column_codec.h"

namespace binnacle::store::metrics {
namespace {

constexpr size_t kFirstCapacity = 4;
constexpr size_t kBaseBytes = sizeof(int64_t);

// First byte of a chunk: the number of samples and how their times are written.
constexpr uint8_t kCountMask = 0x1f;
constexpr uint8_t kRegular = 0x20;    // first time and step
constexpr uint8_t kContinues = 0x40;  // nothing: behind the chunk before, at its step

constexpr size_t open_bytes(size_t capacity, bool regular) {
  return kBaseBytes + capacity * (sizeof(double) + (regular ? 0 : sizeof(uint32_t)));
}

bool time_before(const LateSample& sample, int64_t ms) { return sample.timestamp_ms < ms; }

}  // namespace

bool SealedChunkReader::next(SealedChunk& out) {
  if (rest_.empty() || !ok_) return false;
  ByteReader chunks(rest_);
  ByteReader body(chunks.sized());
  const uint8_t head = body.u8();
  out = {};
  out.count = head & kCountMask;
  if ((head & kContinues) != 0) {
    out.first_ms = before_.end_ms();
    out.step_ms = before_.step_ms;
  } else {
    out.first_ms = body.zigzag();
    if ((head & kRegular) != 0) {
      out.step_ms = static_cast<int64_t>(body.varint());
    } else {
      out.times = body.sized();
    }
  }
  ok_ = chunks.ok() && body.ok() && out.count > 0;
  out.values = body.rest();
  rest_ = chunks.rest();
  before_ = out;
  return ok_;
}

Status decode_chunk(const SealedChunk& chunk, std::vector<int64_t>& times_ms,
                    std::vector<double>& values) {
  const size_t begin = times_ms.size();
  times_ms.resize(begin + chunk.count);
  values.resize(begin + chunk.count);
  if (chunk.step_ms != 0) {
    for (size_t i = 0; i < chunk.count; ++i)
      times_ms[begin + i] = chunk.first_ms + static_cast<int64_t>(i) * chunk.step_ms;
  } else {
    TRY(decode_times(chunk.times, std::span(times_ms).subspan(begin)));
    for (size_t i = begin; i < times_ms.size(); ++i) times_ms[i] += chunk.first_ms;
  }
  return decode_values(chunk.values, std::span(values).subspan(begin));
}

HeadSeries::~HeadSeries() = default;

void HeadSeries::open(uint64_t hash, std::span<const PairId> pairs) {
  CHECK(!alive());
  hash_ = hash;
  pairs_ = std::make_unique_for_overwrite<PairId[]>(pairs.size() + 1);
  pairs_[0] = static_cast<PairId>(pairs.size());
  std::copy(pairs.begin(), pairs.end(), pairs_.get() + 1);
}

void HeadSeries::close() {
  std::destroy_at(this);
  std::construct_at(this);
}

double* HeadSeries::open_values() const {
  return reinterpret_cast<double*>(open_.get() + kBaseBytes);
}

uint32_t* HeadSeries::open_offsets() const {
  return reinterpret_cast<uint32_t*>(open_.get() + kBaseBytes + open_capacity_ * sizeof(double));
}

int64_t HeadSeries::open_base() const {
  int64_t base = 0;
  std::memcpy(&base, open_.get(), sizeof(base));
  return base;
}

int64_t HeadSeries::open_time(size_t i) const {
  return open_base() +
         (open_regular_ ? static_cast<int64_t>(i) * open_step_ : int64_t{open_offsets()[i]});
}

double HeadSeries::open_value(size_t i) const { return open_values()[i]; }
double HeadSeries::last_value() const { return open_value(open_count_ - 1U); }

std::span<const LateSample> HeadSeries::late() const {
  return late_ == nullptr ? std::span<const LateSample>() : std::span(late_->samples);
}

int64_t HeadSeries::first_ms() const {
  int64_t first = std::numeric_limits<int64_t>::max();
  SealedChunk chunk;
  SealedChunkReader reader(sealed());
  if (reader.next(chunk)) {
    first = chunk.first_ms;
  } else if (open_count_ > 0) {
    first = open_time(0);
  }
  return late_ == nullptr ? first : std::min(first, late_->samples.front().timestamp_ms);
}

void HeadSeries::lay_out(size_t capacity, bool regular) {
  auto laid = std::make_unique_for_overwrite<char[]>(open_bytes(capacity, regular));
  if (open_count_ > 0) {
    std::memcpy(laid.get(), open_.get(), kBaseBytes + open_count_ * sizeof(double));
    auto* offsets =
        reinterpret_cast<uint32_t*>(laid.get() + kBaseBytes + capacity * sizeof(double));
    for (size_t i = 0; !regular && i < open_count_; ++i)
      offsets[i] = static_cast<uint32_t>(open_time(i) - open_base());
  }
  open_ = std::move(laid);
  open_capacity_ = static_cast<uint8_t>(capacity);
  open_regular_ = regular;
}

void HeadSeries::put_open(int64_t timestamp_ms, double value) {
  if (open_count_ == 1) open_step_ = static_cast<uint32_t>(timestamp_ms - open_base());
  if (open_regular_ && open_count_ > 1 && timestamp_ms - open_time(open_count_ - 1U) != open_step_)
    lay_out(open_capacity_, false);
  if (open_count_ == open_capacity_)
    lay_out(open_capacity_ == 0 ? kFirstCapacity : open_capacity_ * size_t{2}, open_regular_);
  if (open_count_ == 0) std::memcpy(open_.get(), &timestamp_ms, sizeof(timestamp_ms));
  open_values()[open_count_] = value;
  if (!open_regular_)
    open_offsets()[open_count_] = static_cast<uint32_t>(timestamp_ms - open_base());
  ++open_count_;
  last_ms_ = timestamp_ms;
}

void HeadSeries::push(int64_t timestamp_ms, double value, CommitNumber commit) {
  CHECK(open_count_ == 0 || timestamp_ms > last_ms_);
  if (open_count_ == kChunkSamples ||
      (open_count_ > 0 && static_cast<uint64_t>(timestamp_ms) - static_cast<uint64_t>(open_base()) >
                              std::numeric_limits<uint32_t>::max())) {
    const int64_t before_ms = open_time(open_count_ - 1U);
    seal();
    open_continues_ = sealed_step_ != 0 && timestamp_ms - before_ms == sealed_step_;
  }
  put_open(timestamp_ms, value);
  if (commit == last_commit_) {
    ++last_commit_count_;
    return;
  }
  constexpr uint32_t kFar = std::numeric_limits<uint16_t>::max();
  commit_distance_ = static_cast<uint16_t>(
      last_commit_ == 0 ? kFar : std::min<uint32_t>(commit - last_commit_, kFar));
  last_commit_ = commit;
  last_commit_count_ = 1;
}

// The open chunk in its sealed form; returns the step of its times, 0 when they are not regular.
uint32_t HeadSeries::write_chunk(bool may_continue, std::string& body) const {
  ByteWriter writer(body);
  const uint32_t step = open_regular_ && open_count_ > 1 ? open_step_ : 0;
  if (may_continue && step != 0 && step == sealed_step_ && open_continues_) {
    writer.u8(open_count_ | kContinues);
  } else if (step != 0) {
    writer.u8(open_count_ | kRegular);
    writer.zigzag(open_base());
    writer.varint(step);
  } else {
    std::array<int64_t, kChunkSamples> times;
    for (size_t i = 0; i < open_count_; ++i) times[i] = open_time(i) - open_base();
    std::string column;
    encode_times({times.data(), open_count_}, Effort::kQuick, column);
    writer.u8(open_count_);
    writer.zigzag(open_base());
    writer.sized(column);
  }
  encode_values({open_values(), open_count_}, Effort::kQuick, body);
  return step;
}

void HeadSeries::append_open(std::string& out) const {
  if (open_count_ == 0) return;
  std::string body;
  write_chunk(false, body);
  ByteWriter(out).sized(body);
}

void HeadSeries::seal() {
  thread_local std::string body;
  thread_local std::string size;
  body.clear();
  size.clear();
  sealed_step_ = write_chunk(true, body);
  ByteWriter(size).varint(body.size());
  const size_t total = sealed_size_ + size.size() + body.size();
  auto grown = std::make_unique_for_overwrite<char[]>(total);
  if (sealed_size_ > 0) std::memcpy(grown.get(), sealed_.get(), sealed_size_);
  std::memcpy(grown.get() + sealed_size_, size.data(), size.size());
  std::memcpy(grown.get() + sealed_size_ + size.size(), body.data(), body.size());
  sealed_ = std::move(grown);
  sealed_size_ = static_cast<uint32_t>(total);
  ++sealed_chunks_;
  open_count_ = 0;
  // Regular times are the rule, and their chunk is used again as it is.
  if (open_regular_) return;
  open_.reset();
  open_capacity_ = 0;
  open_regular_ = true;
}

void HeadSeries::insert_late(LateSample sample) {
  if (late_ == nullptr) late_ = std::make_unique<Late>();
  auto& samples = late_->samples;
  const auto at =
      std::lower_bound(samples.begin(), samples.end(), sample.timestamp_ms, time_before);
  if (at != samples.end() && at->timestamp_ms == sample.timestamp_ms) {
    *at = sample;
  } else {
    samples.insert(at, sample);
  }
}

std::optional<double> HeadSeries::find(int64_t timestamp_ms) const {
  if (late_ != nullptr) {
    const auto& samples = late_->samples;
    const auto at = std::lower_bound(samples.begin(), samples.end(), timestamp_ms, time_before);
    if (at != samples.end() && at->timestamp_ms == timestamp_ms) return at->value;
  }
  for (size_t i = open_count_; i-- > 0;) {
    if (open_time(i) == timestamp_ms) return open_value(i);
  }
  if (open_count_ == 0 || timestamp_ms >= open_base()) return std::nullopt;
  std::vector<int64_t> times;
  std::vector<double> values;
  SealedChunk candidate;
  SealedChunk chunk;
  for (SealedChunkReader reader(sealed()); reader.next(chunk) && chunk.first_ms <= timestamp_ms;)
    candidate = chunk;
  if (candidate.count == 0 || !decode_chunk(candidate, times, values)) return std::nullopt;
  const auto at = std::lower_bound(times.begin(), times.end(), timestamp_ms);
  if (at == times.end() || *at != timestamp_ms) return std::nullopt;
  return values[static_cast<size_t>(at - times.begin())];
}

std::optional<uint32_t> HeadSeries::hidden_from(CommitNumber snapshot) const {
  if (!newer(last_commit_, snapshot)) return 0;
  constexpr uint32_t kFar = std::numeric_limits<uint16_t>::max();
  const CommitNumber before = last_commit_ - commit_distance_;
  if (commit_distance_ < kFar && newer(before, snapshot)) return std::nullopt;
  if (commit_distance_ == kFar && last_commit_ - snapshot > kFar) return std::nullopt;
  return last_commit_count_;
}

void HeadSeries::forget_commits(CommitNumber watermark) {
  if (!newer(last_commit_, watermark)) last_commit_ = 0;
  if (late_ == nullptr) return;
  for (LateSample& sample : late_->samples) {
    if (!newer(sample.commit, watermark)) sample.commit = 0;
  }
}

size_t HeadSeries::memory_bytes() const {
  const size_t late = late_ == nullptr ? 0 : late_->samples.capacity() * sizeof(LateSample);
  const size_t pairs = alive() ? (pairs_[0] + 1) * sizeof(PairId) : 0;
  return sizeof(*this) + pairs +
         (open_ == nullptr ? 0 : open_bytes(open_capacity_, open_regular_)) + sealed_size_ + late;
}

void HeadSeries::restore(int64_t last_ms, std::string_view sealed,
                         std::span<const int64_t> open_times, std::span<const double> open_values,
                         std::span<const LateSample> late) {
  sealed_ = std::make_unique_for_overwrite<char[]>(sealed.size());
  std::memcpy(sealed_.get(), sealed.data(), sealed.size());
  sealed_size_ = static_cast<uint32_t>(sealed.size());
  sealed_chunks_ = 0;
  SealedChunk chunk;
  for (SealedChunkReader reader(sealed); reader.next(chunk);) ++sealed_chunks_;
  for (size_t i = 0; i < open_times.size(); ++i) push(open_times[i], open_values[i], 0);
  last_ms_ = last_ms;
  if (late.empty()) return;
  late_ = std::make_unique<Late>();
  late_->samples.assign(late.begin(), late.end());
}

}  // namespace binnacle::store::metrics
