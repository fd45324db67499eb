#include "store/metrics/head.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace binnacle::store::metrics {
namespace {

using model::Label;
using model::LabelsView;
using model::SeriesRef;

constexpr size_t kFirstTable = 256;  // a power of two, as all sizes
// Well below a record of the log. Who takes labels from outside has narrower limits.
constexpr size_t kMaxLabelBytes = size_t{8} << 20;

uint32_t number_of(SeriesRef ref) { return static_cast<uint32_t>(ref); }
uint32_t generation_of(SeriesRef ref) { return static_cast<uint32_t>(ref >> 32); }
SeriesRef make_ref(uint32_t generation, uint32_t number) {
  return (static_cast<SeriesRef>(generation) << 32) | number;
}
uint32_t make_number(size_t shard, uint32_t slot) {
  return static_cast<uint32_t>(slot * Head::kShards + shard);
}
size_t home_of(uint64_t hash, size_t table_size) { return (hash >> 8) & (table_size - 1); }

Status over_limit(LabelsView labels, std::string_view what, size_t limit, std::string_view key) {
  return fail(Code::kResourceExhausted,
              fmt::format("append {}: the store holds its {} series{} ({})", labels.to_string(),
                          limit, what, key));
}

}  // namespace

Head::Head(StoreLimits limits) : limits_(limits) {
  for (Shard& shard : shards_) {
    shard.pages = std::make_unique<std::atomic<Page*>[]>(kMaxPages);
    MutexLock lock(shard.mu);
    shard.table.resize(kFirstTable);
  }
}

Head::~Head() {
  for (Shard& shard : shards_) {
    for (size_t i = 0; i < kMaxPages && shard.pages[i].load() != nullptr; ++i)
      delete shard.pages[i].load();
  }
}

void Head::set_limits(const StoreLimits& limits) {
  MutexLock lock(limits_mu_);
  limits_ = limits;
}

StoreLimits Head::limits() const {
  MutexLock lock(limits_mu_);
  return limits_;
}

// A doomed series that is used again stays.
bool Head::keep_doomed(SeriesRef ref) {
  MutexLock lock(shards_[number_of(ref) % kShards].mu);
  std::atomic<uint32_t>* life = generation(number_of(ref));
  if ((life->load() & ~kDoomed) != generation_of(ref)) return false;
  life->store(generation_of(ref));
  return true;
}

Result<SeriesRef> Head::resolve(SeriesRef ref, LabelsView labels) {
  if (ref != model::kNoSeries) {
    if (keep(ref)) return ref;
    if (labels.empty()) return fail(Code::kNotFound, "append: the series was forgotten");
  }
  if (labels.empty()) return fail(Code::kInvalidArgument, "append: a series without labels");
  if (labels.packed().size() > kMaxLabelBytes) {
    return fail(Code::kInvalidArgument, fmt::format("append: labels of {} bytes, more than {}",
                                                    labels.packed().size(), kMaxLabelBytes));
  }
  const uint64_t hash = labels.hash();
  const size_t shard_number = hash % kShards;
  Shard& shard = shards_[shard_number];
  MutexLock lock(shard.mu);
  if (const uint32_t slot = find(shard, hash, labels); slot != UINT32_MAX) {
    const uint32_t number = make_number(shard_number, slot);
    std::atomic<uint32_t>* life = generation(number);
    life->store(life->load() & ~kDoomed);
    return make_ref(life->load(), number);
  }
  const StoreLimits limits = this->limits();
  TRY(check_room(labels, limits));
  return create(shard, shard_number, hash, labels);
}

Status Head::check_room(LabelsView labels, const StoreLimits& limits) const {
  if (series_count() >= limits.max_series) {
    return over_limit(labels, "", limits.max_series, "storage.max_series");
  }
  if (memory_noted_ >= limits.max_head_bytes) {
    return fail(Code::kResourceExhausted,
                fmt::format("append {}: the store's series take {} bytes of memory, more than {} "
                            "(storage.max_head_bytes)",
                            labels.to_string(), memory_noted_.load(), limits.max_head_bytes));
  }
  struct Part {
    std::string_view label;
    size_t limit;
    std::string_view key;
  };
  for (const Part& part :
       {Part{model::kMetricName, limits.max_series_per_metric, "storage.max_series_per_metric"},
        Part{"job", limits.max_series_per_job, "storage.max_series_per_job"},
        Part{"instance", limits.max_series_per_instance, "storage.max_series_per_instance"}}) {
    if (part.limit == 0) continue;
    const std::string_view value = labels.get(part.label);
    if (value.empty() || index_.series_with(part.label, value) < part.limit) continue;
    return over_limit(labels, fmt::format(" with {}=\"{}\"", part.label, value), part.limit,
                      part.key);
  }
  return {};
}

bool Head::same_labels(const HeadSeries& series, LabelsView labels) const {
  std::string_view rest = labels.packed();
  for (const PairId id : series.pairs()) {
    const std::string_view pair = index_.pair(id);
    if (!rest.starts_with(pair)) return false;
    rest.remove_prefix(pair.size());
  }
  return rest.empty();
}

uint32_t Head::find(const Shard& shard, uint64_t hash, LabelsView labels) const {
  const size_t mask = shard.table.size() - 1;
  for (size_t at = home_of(hash, shard.table.size()); shard.table[at] != 0; at = (at + 1) & mask) {
    const uint32_t slot = shard.table[at] - 1;
    const HeadSeries& candidate = *series(shard, slot);
    if (candidate.hash() == hash && same_labels(candidate, labels)) return slot;
  }
  return UINT32_MAX;
}

void Head::insert(Shard& shard, uint32_t slot, uint64_t hash) {
  if ((shard.used + 1) * 4 > shard.table.size() * 3) {
    std::vector<uint32_t> old(shard.table.size() * 2);
    old.swap(shard.table);
    shard.used = 0;
    for (const uint32_t entry : old) {
      if (entry != 0) insert(shard, entry - 1, series(shard, entry - 1)->hash());
    }
  }
  const size_t mask = shard.table.size() - 1;
  size_t at = home_of(hash, shard.table.size());
  while (shard.table[at] != 0) at = (at + 1) & mask;
  shard.table[at] = slot + 1;
  ++shard.used;
}

// As in PairTable: what was pushed behind the hole moves back.
void Head::detach(Shard& shard, uint32_t slot) {
  const size_t size = shard.table.size();
  const size_t mask = size - 1;
  size_t hole = home_of(series(shard, slot)->hash(), size);
  while (shard.table[hole] != slot + 1) {
    CHECK(shard.table[hole] != 0);
    hole = (hole + 1) & mask;
  }
  for (size_t at = (hole + 1) & mask; shard.table[at] != 0; at = (at + 1) & mask) {
    const size_t home = home_of(series(shard, shard.table[at] - 1)->hash(), size);
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    shard.table[hole] = shard.table[at];
    hole = at;
  }
  shard.table[hole] = 0;
  --shard.used;
}

void Head::forget(Shard& shard, size_t shard_number, uint32_t slot) {
  HeadSeries* here = series(shard, slot);
  index_.remove(make_number(shard_number, slot), here->pairs());
  detach(shard, slot);
  here->close();
  ++removals_;
  --series_count_;
}

void Head::make_slot(Shard& shard, uint32_t slot) {
  while (shard.end <= slot) {
    const uint32_t next = shard.end;
    CHECK(next < kMaxPages * kPageSeries);
    if (next % kPageSeries == 0) shard.pages[next / kPageSeries].store(new Page());
    if (next != slot) shard.free.push_back(next);
    shard.end.store(next + 1, std::memory_order_release);
  }
}

SeriesRef Head::create(Shard& shard, size_t shard_number, uint64_t hash, LabelsView labels) {
  uint32_t slot = shard.end;
  if (!shard.free.empty()) {
    slot = shard.free.back();
    shard.free.pop_back();
  } else {
    make_slot(shard, slot);
  }
  const uint32_t number = make_number(shard_number, slot);
  std::atomic<uint32_t>* life = generation(number);
  const uint32_t next = (life->load() + 1) & ~kDoomed;
  std::vector<PairId> pairs;
  index_.add(number, labels, pairs);
  series(shard, slot)->open(hash, pairs);
  insert(shard, slot, hash);
  life->store(next == 0 ? 1 : next);
  ++series_count_;
  return make_ref(life->load(), number);
}

Status Head::restore_series(SeriesRef ref, LabelsView labels) {
  const uint64_t hash = labels.hash();
  const uint32_t number = number_of(ref);
  if (hash % kShards != number % kShards || generation_of(ref) == 0)
    return fail(Code::kDataLoss, "log: a series under a number of another shard");
  Shard& shard = shards_[number % kShards];
  const uint32_t slot = number / kShards;
  if (slot >= kMaxPages * kPageSeries) return fail(Code::kDataLoss, "log: a series' number");
  MutexLock lock(shard.mu);
  make_slot(shard, slot);
  std::atomic<uint32_t>* life = generation(number);
  HeadSeries* here = series(shard, slot);
  if (here->alive()) {
    if (same_labels(*here, labels)) {
      life->store(std::max(life->load() & ~kDoomed, generation_of(ref)));
      return {};
    }
    // The slot was given to another series; what the first one held is in blocks.
    forget(shard, number % kShards, slot);
  } else {
    std::erase(shard.free, slot);
  }
  if (const uint32_t before = find(shard, hash, labels); before != UINT32_MAX) {
    // It was forgotten and came back in another slot; what it held before is in blocks.
    forget(shard, number % kShards, before);
    shard.free.push_back(before);
  }
  std::vector<PairId> pairs;
  index_.add(number, labels, pairs);
  here->open(hash, pairs);
  here->set_logged(true);
  insert(shard, slot, hash);
  life->store(generation_of(ref));
  ++series_count_;
  return {};
}

void Head::append_labels(const HeadSeries& series, std::string& packed) const {
  for (const PairId id : series.pairs()) packed += index_.pair(id);
}

void Head::visit(uint32_t number, const Visit& visit) {
  visit_cut(number, [&](model::SeriesRef ref, HeadSeries& here, uint32_t) { visit(ref, here); });
}

void Head::begin_cut(int64_t cut_ms) {
  for (Shard& shard : shards_) {
    MutexLock lock(shard.mu);
    shard.cut_ms = cut_ms;
    shard.came_since.clear();
  }
}

void Head::end_cut() { begin_cut(std::numeric_limits<int64_t>::min()); }

void Head::visit_cut(uint32_t number, const CutVisit& visit) {
  std::atomic<uint32_t>* life = generation(number);
  if (life == nullptr) return;
  Shard& shard = shards_[number % kShards];
  MutexLock lock(shard.mu);
  HeadSeries* here = series(shard, number / kShards);
  if (!here->alive()) return;
  const auto counted = shard.came_since.find(number);
  visit(make_ref(life->load() & ~kDoomed, number), *here,
        counted == shard.came_since.end() ? 0 : counted->second);
}

uint32_t Head::numbers_end() const {
  uint32_t end = 0;
  for (const Shard& shard : shards_) end = std::max(end, shard.end.load());
  return end * static_cast<uint32_t>(kShards);
}

size_t Head::collect_empty(CommitNumber watermark, bool may_remove) {
  size_t gone = 0;
  for (size_t i = 0; i < kShards; ++i) {
    Shard& shard = shards_[i];
    for (uint32_t slot = 0; slot < shard.end; ++slot) {
      MutexLock lock(shard.mu);
      HeadSeries* here = series(shard, slot);
      if (!here->alive()) continue;
      here->forget_commits(watermark);
      if (!here->empty()) continue;
      const uint32_t number = make_number(i, slot);
      std::atomic<uint32_t>* life = generation(number);
      const uint32_t now = life->load();
      if ((now & kDoomed) == 0) {
        life->store(now | kDoomed);
        continue;
      }
      if (!may_remove) continue;
      forget(shard, i, slot);
      life->store((now + 1) & ~kDoomed);
      shard.free.push_back(slot);
      ++gone;
    }
  }
  return gone;
}

uint64_t Head::memory_bytes() const {
  uint64_t bytes = 0;
  for (const Shard& shard : shards_) {
    MutexLock lock(shard.mu);
    bytes += shard.table.size() * sizeof(uint32_t);
    for (uint32_t slot = 0; slot < shard.end; ++slot) bytes += series(shard, slot)->memory_bytes();
  }
  return bytes;
}

size_t Head::chunk_count() const {
  size_t count = 0;
  for (const Shard& shard : shards_) {
    MutexLock lock(shard.mu);
    for (uint32_t slot = 0; slot < shard.end; ++slot) count += series(shard, slot)->chunks();
  }
  return count;
}

}  // namespace binnacle::store::metrics
