#include "store/metrics/head_snapshot.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

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
  out.varint(series.open_count());
  for (size_t i = 0; i < series.open_count(); ++i) {
    out.zigzag(series.open_time(i));
    out.f64(series.open_value(i));
  }
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
  for (uint64_t n = in.varint(); n > 0 && in.ok(); --n) {
    times.push_back(in.zigzag());
    values.push_back(in.f64());
  }
  std::vector<LateSample> late;
  for (uint64_t n = in.varint(); n > 0 && in.ok(); --n) {
    const int64_t at_ms = in.zigzag();
    late.push_back({at_ms, in.f64(), 0, 0});
  }
  if (!in.ok() || times.size() > HeadSeries::kChunkSamples) return false;
  series.restore(last_ms, sealed, times, values, late);
  return true;
}

class SnapshotLoad {
 public:
  SnapshotLoad(Head& head, MetadataTable& metadata) : head_(head), metadata_(metadata) {}

  Status take(WalRecordType type, std::string_view payload) {
    switch (type) {
      case kWalSeries:
        return take_series(payload);
      case kWalHeadColumns:
        return take_columns(payload);
      case kWalMetadata:
        return take_metadata(payload);
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
  Status take_series(std::string_view payload) {
    TRY(decode_series(payload, series_));
    for (const WalSeries& one : series_)
      TRY(head_.restore_series(one.series, model::LabelsView(one.labels)));
    count_ += series_.size();
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

  Status take_metadata(std::string_view payload) {
    TRY(decode_metadata(payload, words_));
    for (const WalMetadata& one : words_)
      metadata_.set(one.metric, {one.type, std::string(one.help), std::string(one.unit)});
    return {};
  }

  Head& head_;
  MetadataTable& metadata_;
  std::vector<WalSeries> series_;
  std::vector<WalMetadata> words_;
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

// The series from `begin` on, as many as make a record; returns the number to go on with.
uint32_t append_series(Head& head, uint32_t begin, uint32_t end, std::string& frames) {
  kill_point("snapshot.write");
  std::vector<std::pair<uint64_t, std::string>> labels;
  std::string columns;
  ByteWriter out(columns);
  uint32_t number = begin;
  size_t label_bytes = 0;
  for (; number < end && columns.size() < kRecordBytes && label_bytes < kFlushBytes; ++number) {
    head.visit(number, [&](model::SeriesRef ref, HeadSeries& series) {
      labels.emplace_back(ref, std::string());
      head.append_labels(series, labels.back().second);
      label_bytes += labels.back().second.size();
      write_columns(ref, series, out);
    });
  }
  if (labels.empty()) return number;
  std::vector<WalSeries> series;
  series.reserve(labels.size());
  for (const auto& [ref, packed] : labels) series.push_back({ref, packed});
  frame_series(series, frames);
  append_wal_frame(kWalHeadColumns, columns, frames);
  return number;
}

Status write_all(Head& head, const MetadataTable& metadata, Wal& log) {
  TRY(write_metadata(metadata, log));
  std::string frames;
  const uint32_t end = head.numbers_end();
  for (uint32_t next = 0; next < end;) {
    next = append_series(head, next, end, frames);
    if (frames.size() < kFlushBytes) continue;
    TRY(log.append(frames));
    frames.clear();
  }
  append_wal_frame(kWalHeadEnd, "", frames);
  TRY(log.append(frames));
  return log.sync();
}

Status write_aside(Head& head, const MetadataTable& metadata, FileSystem& files, const Clock& clock,
                   const std::string& aside) {
  TRY(files.remove_all(aside));
  Registry unregistered;  // the log's own figures are of no interest here
  TRY_ASSIGN(const auto log, Wal::open(aside, 1, {}, files, clock, unregistered));
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
                           const Clock& clock, const std::string& folder, uint64_t wal_segment) {
  TRY(files.create_directories(folder));
  const std::string aside = folder + "/" + name_of(wal_segment) + std::string(kUnfinished);
  const auto written = write_aside(head, metadata, files, clock, aside).and_then([&] {
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
                                              Head& head, MetadataTable& metadata) {
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
    TRY_ASSIGN(const WalReadReport read, read_wal(
                                             files, path, 1,
                                             [&](WalRecordType type, std::string_view payload) {
                                               return load.take(type, payload);
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
