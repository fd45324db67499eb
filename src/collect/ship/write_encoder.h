// Bodies of remote write 1.0: prometheus.WriteRequest, compressed as one snappy block. Samples of
// one series stand together in a request, in the order they came. One thread; keeps its memory.
// Source: the "Prometheus Remote-Write 1.0" specification.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collect/ship/sample_queue.h"
#include "model/labels.h"
#include "model/sample.h"

namespace binnacle::collect::ship {

// The label fields of a TimeSeries.
std::string label_fields(model::LabelsView labels);

class WriteEncoder {
 public:
  // `fields_of[series]` is the label_fields() of each sample's series. The view holds until the
  // next call.
  std::string_view encode(std::span<const QueuedSample> samples,
                          std::span<const std::string> fields_of);
  std::string_view encode(std::span<const std::pair<std::string, model::MetricMetadata>> metadata);

 private:
  // The samples of each series as chains of indices, the series in order of coming.
  struct Chain {
    uint32_t series = 0;
    uint32_t first = 0;
    uint32_t last = 0;
    uint32_t bytes = 0;  // of its sample fields
  };
  void chain(std::span<const QueuedSample> samples, size_t series);
  std::string_view compress();

  std::vector<Chain> chains_;
  std::vector<uint32_t> next_;      // by sample
  std::vector<uint32_t> chain_of_;  // by series: its chain + 1 while encoding, else 0
  std::string message_;
  std::string compressed_;
};

}  // namespace binnacle::collect::ship
