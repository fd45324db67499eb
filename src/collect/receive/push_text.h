// Families and samples in the text format 0.0.4, as the groups' files keep them, and pushes in
// protobuf made such text, so that one reader judges both. Pure functions. Source: client_model's
// metrics.proto.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "model/labels.h"
#include "model/sample.h"

namespace binnacle::collect::receive {

// The lines `# HELP` (where there is one) and `# TYPE`.
void append_push_text(std::string& out, std::string_view family,
                      const model::MetricMetadata& metadata);
void append_push_text(std::string& out, model::LabelsView labels, double number);

// By Content-Type: application/vnd.google.protobuf, as client_golang pushes.
bool is_push_protobuf(std::string_view content_type);
// Delimited MetricFamily messages. Of histograms the classic buckets. kInvalidArgument: malformed;
// kResourceExhausted: more than `max_bytes` of text.
Result<std::string> push_text_of_protobuf(std::string_view body, size_t max_bytes);

}  // namespace binnacle::collect::receive
