// What the records of the write-ahead log hold, as bytes and back. Decoders take any bytes:
// kDataLoss when they are not such a record, kUnimplemented when they are of a kind that this
// program does not know. Pure functions; any thread. Format: docs/formats/wal.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/sample.h"

namespace binnacle::store::metrics {

enum WalRecordKind : uint8_t {
  kWalSeries = 1,
  kWalSamples = 2,
  kWalMetadata = 3,
  kWalTombstones = 4,
  kWalExemplars = 5,  // reserved
  // Of head snapshots alone (docs/formats/head.md).
  kWalHeadColumns = 64,
  kWalHeadEnd = 65,
  kWalHeadPairs = 66,
  kWalHeadSeries = 67,
};

struct WalSample {
  uint64_t series = 0;
  int64_t timestamp_ms = 0;
  double value = 0;
};

struct WalSeries {
  uint64_t series = 0;
  std::string_view labels;  // packed, as model::LabelsView
};

struct WalMetadata {
  std::string_view metric;
  model::MetricType type = model::MetricType::kUnknown;
  std::string_view help;
  std::string_view unit;
};

struct WalTombstone {
  uint64_t series = 0;
  int64_t min_ms = 0;  // both inclusive
  int64_t max_ms = 0;
};

// Append the payload to `out`. Any order is exact; samples and series whose ids rise in small steps
// are small.
void encode_series(std::span<const WalSeries> series, std::string& out);
void encode_samples(std::span<const WalSample> samples, std::string& out);
void encode_metadata(std::span<const WalMetadata> metadata, std::string& out);
void encode_tombstones(std::span<const WalTombstone> tombstones, std::string& out);

// Append them to `frames` as framed records (wal.h), as many as it takes: a frame has a largest
// size, and a batch or a deletion may hold more than fits one. Labels of one series: 8 MiB at most.
void frame_series(std::span<const WalSeries> series, std::string& frames);
void frame_samples(std::span<const WalSample> samples, std::string& frames);
void frame_metadata(std::span<const WalMetadata> metadata, std::string& frames);
void frame_tombstones(std::span<const WalTombstone> tombstones, std::string& frames);

// Replace what is in `out`, which is not to be used after an error. Views point into `payload`;
// labels are packed label sets.
Status decode_series(std::string_view payload, std::vector<WalSeries>& out);
Status decode_samples(std::string_view payload, std::vector<WalSample>& out);
Status decode_metadata(std::string_view payload, std::vector<WalMetadata>& out);
Status decode_tombstones(std::string_view payload, std::vector<WalTombstone>& out);

}  // namespace binnacle::store::metrics
