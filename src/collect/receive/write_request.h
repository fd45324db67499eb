// A body of remote write as flat columns of views: series, their raw label bytes, their samples. No
// label is looked at here. Decoding is all or nothing; one object is used for body after body and
// keeps its memory. One thread. Source: prompb/remote.proto and types.proto as the "Prometheus
// Remote-Write 1.0" specification shows them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/sample.h"

namespace binnacle::collect::receive {

struct SeriesEntry {
  std::string_view label_bytes;  // the label fields, tags and lengths included
  uint32_t first_sample = 0;     // in WriteRequest::samples
  uint32_t sample_count = 0;
  uint32_t histogram_count = 0;
  uint32_t exemplar_count = 0;
  // Bytes behind label_bytes up to the series' end where label_bytes are a guess; otherwise 0.
  uint32_t guessed_behind = 0;
};

struct MetadataEntry {
  std::string_view metric;
  std::string_view help;
  std::string_view unit;
  model::MetricType type = model::MetricType::kUnknown;
};

struct WriteRequest {
  std::vector<SeriesEntry> series;
  std::vector<model::Sample> samples;
  std::vector<MetadataEntry> metadata;

  // prometheus.WriteRequest (1.0). Views point into `body`, which must stay. kInvalidArgument when
  // it is malformed.
  Status decode(std::string_view body);
  // The same without a look at the labels of a series that ends with one sample: they are a guess,
  // to be settled before use unless those very bytes were known to be labels before.
  Status decode_by_guess(std::string_view body);
  // Takes the series apart field by field if it is a guess. kInvalidArgument when malformed.
  Status settle(size_t series);
  // io.prometheus.write.v2.Request. kResourceExhausted when the labels, written out as 1.0 has
  // them, take more than max_label_bytes.
  Status decode_v2(std::string_view body, size_t max_label_bytes);

 private:
  friend class WriteRequestDecoder;
  friend class WriteRequestV2Decoder;
  void clear();
  Status decode(std::string_view body, bool guess);

  // Label fields of series that send them apart from each other, put together. A deque, so that
  // views hold.
  std::deque<std::string> gathered_;
  std::string written_;  // label fields of a body of 2.0
};

}  // namespace binnacle::collect::receive
