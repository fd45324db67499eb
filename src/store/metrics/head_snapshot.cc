#include "store/metrics/head_snapshot.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <unordered_map>

#include "base/bytes.h"
#include "base/kill_points.h"
#include "base/log.h"
#include "store/metrics/wal.h"
#include "store/metrics/wal_records.h"

namespace binnacle::store::metrics {
namespace {

constexpr size_t kRecordBytes = size_t{1} << 20;
constexpr size_t kFlushBytes = size_t{4} << 20;
constexpr std::string_view kUnfinished = ".tmp";

std::string name_of(uint64_t segment) { return fmt::format("{:08}", segment); }

uint64_t segment_of(const DirEntry& entry) {
  uint64_t segment = 0;
  const char* end = entry.name.data() + entry.name.size();
  const auto [stop, error] = std::from_chars(entry.name.data(), end, segment);
  return entry.is_directory && error == std::errc() && stop == end ? segment : 0;
}

void write_columns(model::SeriesRef ref, const HeadSeries& series, ByteWriter& out) {
  out.u64(ref);
  out.zigzag(series.last_ms());
  out.sized(series.sealed());
  std::string open;
  series.append_open(open);
  out.sized(open);
  out.varint(series.late().size());
  for (const LateSample& sample : series.late()) {
    out.zigzag(sample.timestamp_ms);
    out.f64(sample.value);
  }
}

// One record of columns; false when it is broken.
bool read_columns(ByteReader& in, HeadSeries& series, int64_t last_ms) {
  const std::string_view sealed = in.sized();
  std::vector<int64_t> times;
  std::vector<double> values;
  SealedChunkReader open(in.sized());
  for (SealedChunk chunk; open.next(chunk);) {
    if (!decode_chunk(chunk, times, values)) return false;
  }
  std::vector<LateSample> late;
  for (uint64_t n = in.varint(); n > 0 && in.ok(); --n) {
    const int64_t at_ms = in.zigzag();
    late.push_back({at_ms, in.f64(), 0, 0});
  }
  if (!in.ok() || !open.ok() || times.size() > HeadSeries::kChunkSamples) return false;
  series.restore(last_ms, sealed, times, values, late);
  return true;
}

class SnapshotLoad {
 public:
  SnapshotLoad(Head& head, MetadataTable& metadata) : head_(head), metadata_(metadata) {}

  Status take(WalRecordType type, std::string_view payload) {
    switch (type) {
      case kWalHeadPairs:
        return take_pairs(payload);
      case kWalHeadSeries:
        return take_series(payload);
      case kWalHeadColumns:
        return take_columns(payload);
      case kWalMetadata:
        return metadata_.restore(payload);
      case kWalHeadEnd:
        whole_ = true;
        return {};
      default:
        return fail(Code::kDataLoss, fmt::format("head snapshot: record type {}", type));
    }
  }
  bool whole() const { return whole_; }
  uint64_t series() const { return count_; }

 private:
  Status take_pairs(std::string_view payload) {
    ByteReader in(payload);
    while (!in.at_end()) {
      pairs_.emplace_back(in.sized());
      if (!in.ok()) return fail(Code::kDataLoss, "head snapshot: broken labels");
    }
    return {};
  }

  Status take_series(std::string_view payload) {
    ByteReader in(payload);
    std::string labels;
    while (!in.at_end()) {
      const uint64_t ref = in.u64();
      labels.clear();
      for (uint64_t n = in.varint(); n > 0; --n) {
        const uint64_t pair = in.varint();
        if (!in.ok() || pair >= pairs_.size())
          return fail(Code::kDataLoss, "head snapshot: a series with unknown labels");
        labels += pairs_[pair];
      }
      TRY(head_.restore_series(ref, model::LabelsView(labels)));
      ++count_;
    }
    return {};
  }

  Status take_columns(std::string_view payload) {
    ByteReader in(payload);
    while (!in.at_end()) {
      const uint64_t ref = in.u64();
      const int64_t last_ms = in.zigzag();
      bool good = in.ok();
      if (good) {
        TRY(head_.restore_columns(
            ref, [&](HeadSeries& series) { good = read_columns(in, series, last_ms); }));
      }
      if (!good) return fail(Code::kDataLoss, "head snapshot: broken columns");
    }
    return {};
  }

  Head& head_;
  MetadataTable& metadata_;
  std::vector<std::string> pairs_;  // packed labels by number
  uint64_t count_ = 0;
  bool whole_ = false;
};

// A piece at a time: all of it may be more than the log takes at once.
Status write_metadata(const MetadataTable& metadata, Wal& log) {
  const MetadataTable::Entries all = metadata.all();
  std::vector<WalMetadata> words;
  std::string frames;
  size_t bytes = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    const auto& [metric, word] = all[i];
    words.push_back({metric, word.type, word.help, word.unit});
    bytes += metric.size() + word.help.size() + word.unit.size();
    if (bytes < kFlushBytes && i + 1 < all.size()) continue;
    frame_metadata(words, frames);
    TRY(log.append(frames));
    words.clear();
    frames.clear();
    bytes = 0;
  }
  return {};
}

// Writes series as numbers of their labels; a label is written before its first use.
class SeriesWriter {
 public:
  explicit SeriesWriter(Head& head) : head_(head) {}

  // The series from `begin` on, as many as make a record; returns the number to go on with.
  uint32_t append(uint32_t begin, uint32_t end, std::string& frames) {
    kill_point("snapshot.write");
    pairs_.clear();
    series_.clear();
    columns_.clear();
    uint32_t number = begin;
    for (; number < end && !is_full(); ++number) {
      head_.visit(number, [&](model::SeriesRef ref, HeadSeries& series) { add(ref, series); });
    }
    if (series_.empty()) return number;
    if (!pairs_.empty()) append_wal_frame(kWalHeadPairs, pairs_, frames);
    append_wal_frame(kWalHeadSeries, series_, frames);
    append_wal_frame(kWalHeadColumns, columns_, frames);
    return number;
  }

 private:
  void add(model::SeriesRef ref, HeadSeries& series) {
    if (series.empty()) {
      // Its labels go into the log again with its next sample.
      series.set_logged(false);
      return;
    }
    ByteWriter out(series_);
    out.u64(ref);
    out.varint(series.pairs().size());
    for (const PairId id : series.pairs()) out.varint(number_of(id));
    ByteWriter columns(columns_);
    write_columns(ref, series, columns);
  }

  bool is_full() const {
    return columns_.size() >= kRecordBytes || pairs_.size() + series_.size() >= kFlushBytes;
  }

  uint32_t number_of(PairId id) {
    const auto [known, fresh] = numbers_.try_emplace(id, Known{next_, {}});
    const std::string_view bytes = head_.index().pair(id);
    // An id may be given to another label while the snapshot is written.
    if (fresh || known->second.bytes != bytes) {
      known->second = {next_++, std::string(bytes)};
      ByteWriter(pairs_).sized(bytes);
    }
    return known->second.number;
  }

  struct Known {
    uint32_t number;
    std::string bytes;
  };
  Head& head_;
  std::unordered_map<PairId, Known> numbers_;
  uint32_t next_ = 0;
  std::string pairs_;
  std::string series_;
  std::string columns_;
};

Status write_all(Head& head, const MetadataTable& metadata, Wal& log) {
  TRY(write_metadata(metadata, log));
  std::string frames;
  const uint32_t end = head.numbers_end();
  SeriesWriter writer(head);
  for (uint32_t next = 0; next < end;) {
    next = writer.append(next, end, frames);
    if (frames.size() < kFlushBytes) continue;
    TRY(log.append(frames));
    frames.clear();
  }
  append_wal_frame(kWalHeadEnd, "", frames);
  TRY(log.append(frames));
  return log.sync();
}

Status write_aside(Head& head, const MetadataTable& metadata, FileSystem& files, const Clock& clock,
                   const std::string& aside, int format) {
  TRY(files.remove_all(aside));
  Registry unregistered;  // the log's own figures are of no interest here
  TRY_ASSIGN(const auto log, Wal::open(aside, 1, {.format = format}, files, clock, unregistered));
  return write_all(head, metadata, *log);
}

// The next snapshot removes the folder; what is damaged stays for a closer look.
Status keep_copy(FileSystem& files, const std::string& path) {
  const std::string copy = path + ".damaged";
  if (files.exists(copy)) return {};
  TRY(files.create_directories(copy));
  TRY_ASSIGN(const auto entries, files.list(path));
  for (const DirEntry& entry : entries)
    TRY(files.link(path + "/" + entry.name, copy + "/" + entry.name));
  return {};
}

}  // namespace

Status write_head_snapshot(Head& head, const MetadataTable& metadata, FileSystem& files,
                           const Clock& clock, const std::string& folder, uint64_t wal_segment,
                           int format) {
  TRY(files.create_directories(folder));
  const std::string aside = folder + "/" + name_of(wal_segment) + std::string(kUnfinished);
  const auto written = write_aside(head, metadata, files, clock, aside, format).and_then([&] {
    kill_point("snapshot.publish");
    return files.rename(aside, folder + "/" + name_of(wal_segment));
  });
  if (!written) {
    (void)files.remove_all(aside);
    return written;
  }
  TRY(files.sync_dir(folder));
  TRY_ASSIGN(const auto entries, files.list(folder));
  for (const DirEntry& entry : entries) {
    const uint64_t segment = segment_of(entry);
    const bool left_over = entry.name.ends_with(kUnfinished);
    if (left_over || (segment != 0 && segment < wal_segment))
      TRY(files.remove_all(folder + "/" + entry.name));
  }
  return {};
}

Result<HeadSnapshotReport> load_head_snapshot(FileSystem& files, const std::string& folder,
                                              Head& head, MetadataTable& metadata,
                                              const std::function<Status()>& go_on) {
  HeadSnapshotReport report;
  TRY(files.create_directories(folder));
  TRY_ASSIGN(auto entries, files.list(folder));
  std::sort(entries.begin(), entries.end(),
            [](const DirEntry& a, const DirEntry& b) { return segment_of(a) > segment_of(b); });
  for (const DirEntry& entry : entries) {
    const std::string path = folder + "/" + entry.name;
    const uint64_t segment = segment_of(entry);
    if (segment == 0) {
      if (entry.name.ends_with(kUnfinished)) TRY(files.remove_all(path));
      continue;
    }
    if (report.wal_segment != 0) {
      TRY(files.remove_all(path));
      continue;
    }
    SnapshotLoad load(head, metadata);
    TRY_ASSIGN(const WalReadReport read,
               read_wal(
                   files, path, 1,
                   [&](WalRecordType type, std::string_view payload) {
                     return go_on().and_then([&] { return load.take(type, payload); });
                   },
                   nullptr));
    report.wal_segment = segment;
    report.series = load.series();
    report.bytes = read.bytes;
    if (!load.whole()) {
      TRY(keep_copy(files, path));
      report.damaged = path + ".damaged";
    }
  }
  return report;
}

}  // namespace binnacle::store::metrics
