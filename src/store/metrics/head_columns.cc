// How samples get into the head and out of it again.
#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"
#include "store/metrics/head.h"

namespace binnacle::store::metrics {
namespace {

using model::Sample;

constexpr size_t kPrefetchAhead = 12;     // series
constexpr size_t kPrefetchOpenAhead = 6;  // their open chunks
constexpr size_t kSeriesPerLock = 256;
// Half of what a record of a snapshot may hold; some three million samples between two flushes.
constexpr size_t kMaxSeriesBytes = size_t{32} << 20;

size_t shard_of(uint64_t ref) { return static_cast<uint32_t>(ref) % Head::kShards; }

Status refuse(Code code, int64_t timestamp_ms, std::string_view why) {
  return fail(code, fmt::format("{} ({})", why, format_rfc3339(timestamp_ms)));
}

void lower(std::atomic<int64_t>& mark, int64_t ms) {
  int64_t before = mark.load(std::memory_order_relaxed);
  while (before > ms && !mark.compare_exchange_weak(before, ms)) {
  }
}

// Within a shard the samples keep their order.
std::vector<PendingSample> by_shard(std::span<const PendingSample> batch) {
  std::array<size_t, Head::kShards + 1> begin = {};
  for (const PendingSample& pending : batch) ++begin[shard_of(pending.ref) + 1];
  for (size_t i = 1; i <= Head::kShards; ++i) begin[i] += begin[i - 1];
  std::vector<PendingSample> sorted(batch.size());
  for (const PendingSample& pending : batch) sorted[begin[shard_of(pending.ref)]++] = pending;
  return sorted;
}

}  // namespace

void Head::note_time(int64_t ms) {
  int64_t newest = newest_ms_.load(std::memory_order_relaxed);
  while (newest < ms && !newest_ms_.compare_exchange_weak(newest, ms)) {
  }
  // In this order: measure_oldest() sets the second and then looks at the first.
  lower(oldest_noted_ms_, ms);
  lower(oldest_ms_, ms);
}

void Head::measure_oldest() {
  // The old mark stands until the new one is known: who reads it meanwhile misses nothing. What
  // comes meanwhile is noted apart.
  oldest_noted_ms_ = std::numeric_limits<int64_t>::max();
  int64_t oldest_ms = std::numeric_limits<int64_t>::max();
  for (uint32_t number = 0; number < numbers_end(); ++number) {
    visit(number, [&](model::SeriesRef, HeadSeries& series) {
      if (!series.empty()) oldest_ms = std::min(oldest_ms, series.first_ms());
    });
  }
  oldest_ms_ = oldest_ms;
  lower(oldest_ms_, oldest_noted_ms_);
}

Head::Applied Head::apply(std::span<const PendingSample> batch, CommitNumber commit,
                          int64_t now_ms) {
  Applied out;
  out.samples.reserve(batch.size());
  const StoreLimits limits = this->limits();
  const std::vector<PendingSample> sorted = by_shard(batch);
  for (size_t begin = 0; begin < sorted.size();) {
    const size_t shard = shard_of(sorted[begin].ref);
    size_t end = begin + 1;
    while (end < sorted.size() && shard_of(sorted[end].ref) == shard) ++end;
    apply_shard(shards_[shard], std::span(sorted).subspan(begin, end - begin), commit, now_ms,
                limits, out);
    begin = end;
  }
  std::sort(out.report.refused.begin(), out.report.refused.end(),
            [](const auto& a, const auto& b) { return a.index < b.index; });
  return out;
}

void Head::apply_shard(Shard& shard, std::span<const PendingSample> batch, CommitNumber commit,
                       int64_t now_ms, const StoreLimits& limits, Applied& out) {
  MutexLock lock(shard.mu);
  const auto series_of = [&](model::SeriesRef ref) {
    return series(shard, static_cast<uint32_t>(ref) / kShards);
  };
  for (size_t i = 0; i < batch.size(); ++i) {
    if (i + kPrefetchAhead < batch.size()) series_of(batch[i + kPrefetchAhead].ref)->prefetch();
    if (i + kPrefetchOpenAhead < batch.size())
      series_of(batch[i + kPrefetchOpenAhead].ref)->prefetch_open();
    const PendingSample& pending = batch[i];
    HeadSeries& here = *series_of(pending.ref);
    // Checked when the ref came in; while its batch lives no series goes that it may know.
    CHECK(here.alive());
    const bool in_cut =
        pending.sample.timestamp_ms < shard.cut_ms && pending.sample.timestamp_ms > here.last_ms();
    bool fresh = false;
    if (auto fits = apply_one(here, pending.sample, commit, now_ms, limits, fresh); !fits) {
      out.report.refused.push_back({pending.index, std::move(fits).error()});
      continue;
    }
    ++out.report.stored;
    if (!fresh) continue;
    if (in_cut) ++shard.came_since[static_cast<uint32_t>(pending.ref)];
    WalSample& logged = out.samples.emplace_back();
    logged.series = pending.ref;
    logged.timestamp_ms = pending.sample.timestamp_ms;
    logged.value = pending.sample.value;
    if (here.logged()) continue;
    std::string labels;
    append_labels(here, labels);
    out.unlogged.emplace_back(pending.ref, std::move(labels));
  }
}

Status Head::apply_one(HeadSeries& series, const Sample& sample, CommitNumber commit,
                       int64_t now_ms, const StoreLimits& limits, bool& fresh) {
  const int64_t at_ms = sample.timestamp_ms;
  if (at_ms > now_ms && at_ms - now_ms > limits.max_ahead_ms)
    return refuse(Code::kOutOfRange, at_ms, "too far in the future (storage.max_ahead)");
  if (at_ms < now_ms - limits.late_limit_ms)
    return refuse(Code::kOutOfRange, at_ms, "too old (storage.late_limit)");
  if (series.sealed().size() + series.late().size_bytes() > kMaxSeriesBytes) {
    return refuse(Code::kResourceExhausted, at_ms,
                  "the series has more samples in memory than a record of the log can take");
  }
  if (at_ms > series.last_ms()) {
    series.push(at_ms, sample.value, commit);
    fresh = true;
    note_time(at_ms);
    return {};
  }
  const auto there = series.find(at_ms);
  if (there && same_bits(*there, sample.value)) return {};
  if (there && !limits.last_value_wins)
    return refuse(Code::kAlreadyExists, at_ms, "another value at this time");
  if (!there && at_ms < series.last_ms() - limits.out_of_order_ms) {
    return refuse(Code::kOutOfRange, at_ms,
                  "out of order, behind the series' newest sample by more than "
                  "storage.out_of_order_window");
  }
  series.insert_late({at_ms, sample.value, ++late_sequence_, commit});
  note_time(at_ms);
  fresh = true;
  return {};
}

void Head::mark_logged(std::span<const std::pair<model::SeriesRef, std::string>> logged) {
  for (const auto& [ref, labels] : logged) {
    Shard& shard = shards_[shard_of(ref)];
    MutexLock lock(shard.mu);
    series(shard, static_cast<uint32_t>(ref) / kShards)->set_logged(true);
  }
}

Status Head::restore_columns(model::SeriesRef ref, const Restore& restore) {
  const std::atomic<uint32_t>* life = generation(static_cast<uint32_t>(ref));
  if (life == nullptr || (life->load() & ~kDoomed) != ref >> 32)
    return fail(Code::kDataLoss, "head snapshot: columns without a series");
  Shard& shard = shards_[shard_of(ref)];
  MutexLock lock(shard.mu);
  HeadSeries& here = *series(shard, static_cast<uint32_t>(ref) / kShards);
  restore(here);
  if (here.empty()) return {};
  note_time(here.first_ms());
  if (here.has_samples_in_order()) note_time(here.last_ms());
  return {};
}

size_t Head::replay(std::span<const WalSample> samples) {
  size_t lost = 0;
  // A commit's samples stand in the log shard by shard.
  for (size_t begin = 0; begin < samples.size();) {
    const size_t shard = shard_of(samples[begin].series);
    size_t end = begin + 1;
    while (end < samples.size() && shard_of(samples[end].series) == shard) ++end;
    lost += replay_shard(shards_[shard], samples.subspan(begin, end - begin));
    begin = end;
  }
  return lost;
}

size_t Head::replay_shard(Shard& shard, std::span<const WalSample> samples) {
  size_t lost = 0;
  MutexLock lock(shard.mu);
  const uint32_t slots = shard.end;
  for (size_t i = 0; i < samples.size(); ++i) {
    if (i + kPrefetchAhead < samples.size()) {
      const auto ahead = static_cast<uint32_t>(samples[i + kPrefetchAhead].series) / kShards;
      if (ahead < slots) series(shard, ahead)->prefetch();
    }
    const WalSample& sample = samples[i];
    const auto number = static_cast<uint32_t>(sample.series);
    const std::atomic<uint32_t>* life = generation(number);
    if (life == nullptr ||
        (life->load(std::memory_order_relaxed) & ~kDoomed) != sample.series >> 32) {
      ++lost;
      continue;
    }
    HeadSeries& here = *series(shard, number / kShards);
    note_time(sample.timestamp_ms);
    if (sample.timestamp_ms > here.last_ms()) {
      here.push(sample.timestamp_ms, sample.value, 0);
      continue;
    }
    const auto there = here.find(sample.timestamp_ms);
    if (there && same_bits(*there, sample.value)) continue;
    here.insert_late({sample.timestamp_ms, sample.value, ++late_sequence_, 0});
  }
  return lost;
}

void Head::erase(model::SeriesRef ref, int64_t min_ms, int64_t max_ms) {
  visit(static_cast<uint32_t>(ref), [&](model::SeriesRef here, HeadSeries& series) {
    if (here == ref) series.erase(min_ms, max_ms);
  });
}

bool Head::matches(const HeadSeries& series, const model::Matchers& matchers) const {
  std::string packed;
  append_labels(series, packed);
  return model::matches_all(matchers, model::LabelsView(packed));
}

namespace {

// Remembers of each pair whether its name is among those wanted.
class PairFilter {
 public:
  PairFilter(const HeadIndex& index, const std::vector<std::string>* names)
      : index_(index), names_(names) {}

  void append(std::span<const PairId> pairs, std::string& packed) {
    for (const PairId id : pairs) {
      if (names_ == nullptr || wants(id)) packed += index_.pair(id);
    }
  }

 private:
  enum : uint8_t { kUnknown, kYes, kNo };

  bool wants(PairId id) {
    if (id >= known_.size()) known_.resize(std::max<size_t>(1024, size_t{id} * 2), kUnknown);
    if (known_[id] == kUnknown) {
      const model::Label label = *model::LabelsView(index_.pair(id)).begin();
      known_[id] = std::ranges::find(*names_, label.name) == names_->end() ? kNo : kYes;
    }
    return known_[id] == kYes;
  }

  const HeadIndex& index_;
  const std::vector<std::string>* names_;
  std::vector<uint8_t> known_;  // by pair
};

}  // namespace

Result<bool> Head::capture(const model::Matchers& matchers, const Wanted& wanted,
                           CommitNumber snapshot, HeadImage& out) const {
  const uint64_t removals = removals_;
  TRY_ASSIGN(const std::vector<uint32_t> selected, index_.select(matchers, wanted.budget));
  model::HeldBytes held(wanted.budget);
  TRY(held.set(3 * selected.size() * sizeof(uint32_t)));  // and by shard, in vectors that grew
  std::array<std::vector<uint32_t>, kShards> by_shard;
  for (const uint32_t number : selected) by_shard[number % kShards].push_back(number / kShards);
  TRY(out.reserve(selected.size()));
  PairFilter filter(index_, wanted.names);
  for (size_t i = 0; i < kShards; ++i) {
    const Shard& shard = shards_[i];
    const auto& slots = by_shard[i];
    for (size_t begin = 0; begin < slots.size(); begin += kSeriesPerLock) {
      TRY(out.charge());
      MutexLock lock(shard.mu);
      const size_t end = std::min(begin + kSeriesPerLock, slots.size());
      for (size_t k = begin; k < end; ++k) {
        const HeadSeries& here = *series(shard, slots[k]);
        if (!here.alive() || here.empty()) continue;
        // The slot may have been given to another series since the index was asked.
        if (removals_ != removals && !matches(here, matchers)) continue;
        const auto hidden = here.hidden_from(snapshot);
        if (!hidden) return false;
        out.add(here, wanted.min_ms, wanted.max_ms, *hidden, snapshot, wanted.labels_only,
                [&](std::string& packed) { filter.append(here.pairs(), packed); });
      }
    }
  }
  TRY(out.charge());
  return true;
}

std::vector<uint32_t> Head::ordered() const {
  const std::vector<uint32_t> ranks = index_.ranks();
  struct Place {
    size_t at;  // of its label ranks in `all`
    uint32_t size;
    uint32_t number;
  };
  std::vector<uint32_t> all;
  std::vector<Place> places;
  for (size_t i = 0; i < kShards; ++i) {
    const Shard& shard = shards_[i];
    MutexLock lock(shard.mu);
    for (uint32_t slot = 0; slot < shard.end; ++slot) {
      const HeadSeries& here = *series(shard, slot);
      if (!here.alive() || here.empty()) continue;
      const auto pairs = here.pairs();
      // One with a label that came after the ranks were taken waits for the next time.
      const auto unranked = [&](PairId id) {
        return id >= ranks.size() || ranks[id] == HeadIndex::kNoRank;
      };
      if (std::any_of(pairs.begin(), pairs.end(), unranked)) continue;
      places.push_back({all.size(), static_cast<uint32_t>(pairs.size()),
                        static_cast<uint32_t>(slot * kShards + i)});
      for (const PairId id : pairs) all.push_back(ranks[id]);
    }
  }
  std::sort(places.begin(), places.end(), [&](const Place& a, const Place& b) {
    const auto pa = std::span(all).subspan(a.at, a.size);
    const auto pb = std::span(all).subspan(b.at, b.size);
    return std::lexicographical_compare(pa.begin(), pa.end(), pb.begin(), pb.end());
  });
  std::vector<uint32_t> order;
  order.reserve(places.size());
  for (const Place& place : places) order.push_back(place.number);
  return order;
}

}  // namespace binnacle::store::metrics
