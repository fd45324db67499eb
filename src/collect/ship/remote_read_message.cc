// The two messages of remote read.
#include <algorithm>
#include <exception>
#include <functional>
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

#include "collect/ship/remote_read_client.h"

namespace binnacle::collect::ship {
namespace {

// LabelMatcher.Type
int32_t matcher_type(model::MatchOp op) {
  switch (op) {
    case model::MatchOp::kEqual:
      return 0;
    case model::MatchOp::kNotEqual:
      return 1;
    case model::MatchOp::kRegex:
      return 2;
    case model::MatchOp::kNotRegex:
      return 3;
  }
  return 0;
}

// A field of another wire type than its number's is one that is not known.
using protozero::pbf_wire_type;
using protozero::tag_and_type;

void read_label(protozero::pbf_reader fields, model::LabelsBuilder& labels) {
  std::string name;
  std::string value;
  while (fields.next()) {
    switch (fields.tag_and_type()) {
      case tag_and_type(1, pbf_wire_type::length_delimited):
        name = fields.get_string();
        break;
      case tag_and_type(2, pbf_wire_type::length_delimited):
        value = fields.get_string();
        break;
      default:
        fields.skip();
    }
  }
  if (!name.empty()) labels.set(name, value);
}

void read_sample(protozero::pbf_reader fields, RemoteSeries& series) {
  double value = 0;
  int64_t ms = 0;
  while (fields.next()) {
    switch (fields.tag_and_type()) {
      case tag_and_type(1, pbf_wire_type::fixed64):
        value = fields.get_double();
        break;
      case tag_and_type(2, pbf_wire_type::varint):
        ms = fields.get_int64();
        break;
      default:
        fields.skip();
    }
  }
  series.values.push_back(value);
  series.timestamps_ms.push_back(ms);
}

RemoteSeries read_series(protozero::pbf_reader fields) {
  RemoteSeries series;
  model::LabelsBuilder labels;
  while (fields.next()) {
    switch (fields.tag_and_type()) {
      case tag_and_type(1, pbf_wire_type::length_delimited):
        read_label(fields.get_message(), labels);
        break;
      case tag_and_type(2, pbf_wire_type::length_delimited):
        read_sample(fields.get_message(), series);
        break;
      default:
        fields.skip();
    }
  }
  series.labels = labels.build();
  return series;
}

}  // namespace

std::string read_request_message(const model::Matchers& matchers, int64_t min_ms, int64_t max_ms) {
  std::string query;
  protozero::pbf_writer fields(query);
  fields.add_int64(1, min_ms);
  fields.add_int64(2, max_ms);
  for (const model::Matcher& matcher : matchers) {
    protozero::pbf_writer one(fields, 3);
    one.add_enum(1, matcher_type(matcher.op()));
    one.add_string(2, matcher.name());
    one.add_string(3, matcher.value());
  }
  std::string out;
  protozero::pbf_writer(out).add_message(1, query);
  return out;  // without accepted_response_types: all samples in one message
}

Result<std::vector<RemoteSeries>> parse_read_response(std::string_view message) {
  std::vector<RemoteSeries> out;
  try {
    protozero::pbf_reader response(message.data(), message.size());
    while (response.next(1, pbf_wire_type::length_delimited)) {  // one query was asked
      protozero::pbf_reader result = response.get_message();
      while (result.next(1, pbf_wire_type::length_delimited)) {
        RemoteSeries series = read_series(result.get_message());
        if (!series.values.empty()) out.push_back(std::move(series));
      }
    }
  } catch (const std::exception& malformed) {
    return fail(Code::kDataLoss, std::string("the answer is malformed: ") + malformed.what());
  }
  for (const RemoteSeries& series : out) {
    const auto falls = std::ranges::adjacent_find(series.timestamps_ms, std::greater_equal());
    if (falls != series.timestamps_ms.end())
      return fail(Code::kInvalidArgument,
                  "samples of " + series.labels.to_string() + " are out of order");
  }
  std::ranges::sort(out, [](const RemoteSeries& a, const RemoteSeries& b) {
    return model::compare(a.labels, b.labels) < 0;
  });
  return out;
}

}  // namespace binnacle::collect::ship
