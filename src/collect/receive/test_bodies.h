// For tests: remote-write bodies, built by protozero's writer as a sender builds them.
#pragma once

#include <snappy.h>

#include <cstdint>
#include <protozero/pbf_writer.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace binnacle::collect::receive {

using TestLabels = std::vector<std::pair<std::string, std::string>>;

struct TestSample {
  int64_t timestamp_ms = 0;
  double value = 0;
};

class WriteBody {
 public:
  WriteBody& series(const TestLabels& labels, const std::vector<TestSample>& samples) {
    std::string bytes;
    protozero::pbf_writer writer(bytes);
    for (const auto& [name, value] : labels) add_label(writer, name, value);
    for (const TestSample& sample : samples) add_sample(writer, sample);
    return raw_series(bytes);
  }
  WriteBody& raw_series(const std::string& bytes) {
    protozero::pbf_writer(bytes_).add_message(1, bytes);
    return *this;
  }
  WriteBody& metadata(int type, const std::string& metric, const std::string& help,
                      const std::string& unit) {
    std::string bytes;
    protozero::pbf_writer writer(bytes);
    writer.add_enum(1, type);
    writer.add_string(2, metric);
    writer.add_string(4, help);
    writer.add_string(5, unit);
    protozero::pbf_writer(bytes_).add_message(3, bytes);
    return *this;
  }

  static void add_label(protozero::pbf_writer& series, const std::string& name,
                        const std::string& value) {
    std::string bytes;
    protozero::pbf_writer writer(bytes);
    writer.add_string(1, name);
    writer.add_string(2, value);
    series.add_message(1, bytes);
  }
  static void add_sample(protozero::pbf_writer& series, TestSample sample) {
    std::string bytes;
    protozero::pbf_writer writer(bytes);
    writer.add_double(1, sample.value);
    writer.add_int64(2, sample.timestamp_ms);
    series.add_message(2, bytes);
  }

  const std::string& bytes() const { return bytes_; }
  std::string compressed() const { return compress(bytes_); }
  static std::string compress(std::string_view bytes) {
    std::string out;
    snappy::Compress(bytes.data(), bytes.size(), &out);
    return out;
  }

 private:
  std::string bytes_;
};

// A body of remote write 2.0: strings stand in a table.
class WriteBody2 {
 public:
  WriteBody2() { symbol(""); }

  uint32_t symbol(const std::string& text) {
    for (size_t i = 0; i < symbols_.size(); ++i) {
      if (symbols_[i] == text) return static_cast<uint32_t>(i);
    }
    symbols_.push_back(text);
    return static_cast<uint32_t>(symbols_.size() - 1);
  }
  WriteBody2& series(const TestLabels& labels, const std::vector<TestSample>& samples,
                     int metadata_type = 0) {
    std::vector<uint32_t> refs;
    for (const auto& [name, value] : labels) {
      refs.push_back(symbol(name));
      refs.push_back(symbol(value));
    }
    return series_of_refs(refs, samples, metadata_type);
  }
  WriteBody2& series_of_refs(const std::vector<uint32_t>& refs,
                             const std::vector<TestSample>& samples, int metadata_type = 0) {
    std::string bytes;
    protozero::pbf_writer writer(bytes);
    writer.add_packed_uint32(1, refs.begin(), refs.end());
    for (const TestSample& sample : samples) WriteBody::add_sample(writer, sample);
    if (metadata_type != 0) {
      std::string metadata;
      protozero::pbf_writer fields(metadata);
      fields.add_enum(1, metadata_type);
      fields.add_uint32(3, symbol("Help."));
      writer.add_message(5, metadata);
    }
    protozero::pbf_writer(series_).add_message(5, bytes);
    return *this;
  }
  std::string bytes() const {
    std::string out;
    for (const std::string& text : symbols_) protozero::pbf_writer(out).add_string(4, text);
    return out + series_;
  }

 private:
  std::vector<std::string> symbols_;
  std::string series_;
};

}  // namespace binnacle::collect::receive
