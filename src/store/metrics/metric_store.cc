#include "store/metrics/metric_store.h"

#include <algorithm>
#include <tuple>

#include "store/metrics/head_snapshot.h"
#include "store/metrics/metric_store_parts.h"
#include "store/metrics/store_querier.h"

namespace binnacle::store::metrics {

MetricStore::Parts::Parts(std::string at, StoreOptions options, FileSystem& fs, const Clock& time,
                          Random& randomness, Registry& registry)
    : folder(std::move(at)),
      format(options.format),
      files(fs),
      clock(time),
      random(randomness),
      instruments(registry),
      head(options.limits),
      blocks(fs, folder + "/blocks"),
      columns(options.column_cache_bytes),
      wanted(std::move(options)) {}

StoreOptions MetricStore::Parts::options() const {
  MutexLock guard(mu);
  return wanted;
}

Status MetricStore::Parts::writable() const {
  MutexLock guard(mu);
  if (failures == healed) return {};
  return fail(Code::kUnavailable,
              "metric store: not writable until a head snapshot is on disk: " + failure);
}

void MetricStore::Parts::note_failure(const Error& error) {
  instruments.commits_failed.add();
  MutexLock guard(mu);
  const bool first = failures == healed;
  ++failures;
  failure = error.message;
  wake.notify_all();
  if (first) log.error("samples cannot be logged, writes are refused", {{"error", failure}});
}

Status MetricStore::Parts::log_commit(const Head::Applied& applied,
                                      const MetadataTable::Entries& words) {
  std::string frames;
  if (!applied.unlogged.empty()) {
    std::vector<WalSeries> series;
    series.reserve(applied.unlogged.size());
    for (const auto& [ref, labels] : applied.unlogged) series.push_back({ref, labels});
    frame_series(series, frames);
  }
  frame_samples(applied.samples, frames);
  if (!words.empty()) {
    std::vector<WalMetadata> records;
    for (const auto& [metric, word] : words)
      records.push_back({metric, word.type, word.help, word.unit});
    frame_metadata(records, frames);
  }
  return frames.empty() ? Status() : wal->append(frames);
}

class MetricStore::Batch final : public model::Appender {
 public:
  explicit Batch(Parts& parts) : parts_(parts), epoch_(parts.batches.enter()) {}
  ~Batch() override { parts_.batches.leave(epoch_); }

  Result<model::SeriesRef> append(model::SeriesRef ref, model::LabelsView labels,
                                  model::Sample sample) override {
    const size_t index = appended_++;
    auto resolved = parts_.head.resolve(ref, labels);
    if (!resolved) {
      if (resolved.error().code != Code::kNotFound)
        parts_.instruments.count_refused(resolved.error());
      return resolved;
    }
    pending_.push_back({index, *resolved, sample});
    return *resolved;
  }

  size_t append_known(std::span<const model::KnownSample> samples) override {
    if (pending_.empty()) pending_.reserve(samples.size());  // the whole batch as a rule
    for (size_t i = 0; i < samples.size(); ++i) {
      const size_t index = appended_++;
      if (!parts_.head.keep(samples[i].ref)) return i;
      // In place: loads as wide as a copy's would wait for the narrower stores just before them.
      PendingSample& pending = pending_.emplace_back();
      pending.index = index;
      pending.ref = samples[i].ref;
      pending.sample = samples[i].sample;
    }
    return samples.size();
  }

  void append_metadata(std::string_view metric, const model::MetricMetadata& words) override {
    words_.emplace_back(std::string(metric), words);
  }

  Result<model::CommitReport> commit() override {
    TRY(parts_.writable());
    const CommitNumber number = parts_.order.begin();
    Head::Applied applied = parts_.head.apply(pending_, number, parts_.clock.wall_ms());
    std::erase_if(words_,
                  [&](const auto& word) { return !parts_.metadata.set(word.first, word.second); });
    if (const Status logged = parts_.log_commit(applied, words_); !logged) {
      parts_.note_failure(logged.error());
    } else {
      parts_.head.mark_logged(applied.unlogged);
    }
    parts_.order.end(number);
    rollback();
    // Ours or an earlier one that failed: what was there already may not be in the log.
    TRY(parts_.writable());
    parts_.last_commit_ms = parts_.clock.monotonic_ms();
    parts_.instruments.samples.add(static_cast<double>(applied.report.stored));
    for (const model::Refusal& refusal : applied.report.refused)
      parts_.instruments.count_refused(refusal.error);
    return std::move(applied.report);
  }

  void rollback() override {
    pending_.clear();
    words_.clear();
    appended_ = 0;
  }

 private:
  Parts& parts_;
  const uint64_t epoch_;
  std::vector<PendingSample> pending_;
  MetadataTable::Entries words_;
  size_t appended_ = 0;
};

MetricStore::MetricStore(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
MetricStore::~MetricStore() { stop(); }

Result<std::unique_ptr<MetricStore>> MetricStore::open(std::string folder, StoreOptions options,
                                                       FileSystem& files, const Clock& clock,
                                                       Random& random, Registry& registry,
                                                       StoreProgress* progress) {
  auto parts = std::make_unique<Parts>(std::move(folder), std::move(options), files, clock, random,
                                       registry);
  TRY(parts->recover(progress, registry));
  return std::unique_ptr<MetricStore>(new MetricStore(std::move(parts)));
}

bool MetricStore::append_labels(model::SeriesRef ref, std::string& packed) const {
  bool found = false;
  parts_->head.visit(static_cast<uint32_t>(ref), [&](model::SeriesRef there, HeadSeries& series) {
    if (there != ref) return;
    parts_->head.append_labels(series, packed);
    found = true;
  });
  return found;
}

std::unique_ptr<model::Appender> MetricStore::appender() {
  return std::make_unique<Batch>(*parts_);
}

Result<std::unique_ptr<model::Querier>> MetricStore::querier(int64_t min_ms, int64_t max_ms) {
  return make_store_querier(parts_->head, parts_->order, parts_->blocks, &parts_->columns, min_ms,
                            max_ms);
}

Status MetricStore::delete_series(const model::Matchers& matchers, int64_t min_ms, int64_t max_ms) {
  MutexLock guard(parts_->maintenance);
  return parts_->erase(matchers, min_ms, max_ms);
}

Status MetricStore::clean_tombstones() {
  MutexLock guard(parts_->maintenance);
  return parts_->clean_tombstones();
}

Status MetricStore::flush(int64_t cut_ms) {
  MutexLock guard(parts_->maintenance);
  TRY(parts_->flush(cut_ms));
  return parts_->compact();
}

Status MetricStore::backup(const std::string& to) {
  Parts& parts = *parts_;
  if (parts.files.exists(to))
    return fail(Code::kAlreadyExists, "backup " + to + ": it is there already");
  MutexLock guard(parts.maintenance);
  // Under another name until it is whole, so that nobody takes a part for a backup.
  const std::string aside = to + ".tmp";
  TRY(parts.files.remove_all(aside));
  TRY(parts.files.create_directories(aside));
  const auto list = parts.blocks.list();
  for (const auto& block : *list) {
    const std::string target = aside + "/blocks/" + block->meta().ulid;
    TRY(parts.files.create_directories(target));
    TRY_ASSIGN(const auto entries, parts.files.list(block->folder()));
    for (const DirEntry& entry : entries)
      TRY(parts.files.link(block->folder() + "/" + entry.name, target + "/" + entry.name));
    TRY(parts.files.sync_dir(target));
  }
  TRY(write_head_snapshot(parts.head, parts.metadata, parts.files, parts.clock,
                          aside + "/snapshots", 1, parts.format));
  TRY(parts.files.rename(aside, to));
  return parts.files.sync_dir(parent_folder(to));
}

Status MetricStore::writable() const { return parts_->writable(); }

StoreStatus MetricStore::status() const {
  StoreStatus out;
  out.series = parts_->head.series_count();
  out.chunks = parts_->head.chunk_count();
  const bool none = parts_->head.newest_ms() < parts_->head.oldest_ms();
  out.oldest_ms = none ? 0 : parts_->head.oldest_ms();
  out.newest_ms = none ? 0 : parts_->head.newest_ms();
  out.head_bytes = parts_->head.memory_bytes();
  out.block_bytes = parts_->blocks.file_bytes();
  out.blocks = parts_->blocks.list()->size();
  MutexLock guard(parts_->mu);
  out.wal_bytes = parts_->replayed_bytes + parts_->wal->bytes_since(parts_->snapshot_segment);
  out.replayed_samples = parts_->replayed_samples;
  out.replay_seconds = parts_->replay_seconds;
  return out;
}

int64_t MetricStore::oldest_ms() const {
  const bool none = parts_->head.newest_ms() < parts_->head.oldest_ms();
  int64_t oldest_ms = none ? INT64_MAX : parts_->head.oldest_ms();
  const auto blocks = parts_->blocks.list();
  for (const auto& block : *blocks) oldest_ms = std::min(oldest_ms, block->meta().min_ms);
  return oldest_ms;
}

std::vector<BlockMeta> MetricStore::blocks() const {
  std::vector<BlockMeta> out;
  const auto blocks = parts_->blocks.list();
  for (const auto& block : *blocks) {
    if (block->meta().resolution_ms == 0) out.push_back(block->meta());
  }
  std::ranges::sort(out, [](const BlockMeta& a, const BlockMeta& b) {
    return std::tie(a.min_ms, a.ulid) < std::tie(b.min_ms, b.ulid);
  });
  return out;
}

StoreCardinalities MetricStore::cardinalities(size_t limit) const {
  const HeadIndex::Statistics found = parts_->head.index().statistics(limit);
  const auto copy = [](const std::vector<HeadIndex::Cardinality>& from) {
    std::vector<StoreCardinality> to;
    to.reserve(from.size());
    for (const auto& one : from) to.push_back({one.name, one.count});
    return to;
  };
  return {found.pairs, copy(found.series_by_metric), copy(found.values_by_name),
          copy(found.bytes_by_name), copy(found.series_by_pair)};
}

MetadataTable::Entries MetricStore::metadata() const { return parts_->metadata.all(); }

void MetricStore::set_options(const StoreOptions& options) {
  parts_->head.set_limits(options.limits);
  parts_->wal->set_options(options.wal);
  parts_->columns.set_max_bytes(options.column_cache_bytes);
  MutexLock guard(parts_->mu);
  parts_->wanted = options;
}

}  // namespace binnacle::store::metrics
