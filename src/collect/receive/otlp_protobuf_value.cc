#include "collect/receive/otlp_protobuf_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/float_text.h"
#include "base/json_text.h"
#include "collect/receive/otlp_metrics.h"
#include "net/base64.h"

namespace binnacle::collect::receive {

using protozero::pbf_reader;

namespace {

class ValueWriter {
 public:
  explicit ValueWriter(std::string& out) : out_(out) {}

  void write(std::string_view any_value, int depth) {
    if (depth > kMaxOtlpValueDepth) {
      throw OtlpRefusal(
          {Code::kInvalidArgument,
           fmt::format("an attribute's value nests more than {} deep", kMaxOtlpValueDepth)});
    }
    bool any = false;
    for (pbf_reader value = reader_of(any_value); value.next();)
      any = write_one(value, depth) || any;
    if (!any && depth > 0) out_ += "null";
  }

 private:
  bool write_one(pbf_reader& value, int depth) {
    switch (value.tag()) {
      case 1:
        write_text(view_of(value), depth);
        return true;
      case 2:
        out_ += varint_of(value) != 0 ? "true" : "false";
        return true;
      case 3:
        out_ += std::to_string(varint_of(value));
        return true;
      case 4:
        append_float_json(out_, double_of(value));
        return true;
      case 5:
        write_array(message_of(value), depth);
        return true;
      case 6:
        write_map(message_of(value), depth);
        return true;
      case 7:
        write_text(net::encode_base64(view_of(value)), depth);
        return true;
      default:
        value.skip();
        return false;
    }
  }
  void write_text(std::string_view text, int depth) {
    if (depth > 0) {
      append_json_string(out_, text);
    } else {
      out_ += text;
    }
  }
  void write_array(pbf_reader values, int depth) {
    out_.push_back('[');
    bool first = true;
    while (values.next()) {
      if (values.tag() != 1) {
        values.skip();
        continue;
      }
      if (!std::exchange(first, false)) out_.push_back(',');
      write(view_of(values), depth + 1);
    }
    out_.push_back(']');
  }
  void write_map(pbf_reader values, int depth) {
    std::vector<std::pair<std::string_view, std::string_view>> entries;
    while (values.next()) {
      if (values.tag() == 1) {
        entries.push_back(otlp_key_value(message_of(values)));
      } else {
        values.skip();
      }
    }
    std::stable_sort(entries.begin(), entries.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    out_.push_back('{');
    for (size_t i = 0; i < entries.size(); ++i) {
      if (i > 0) out_.push_back(',');
      append_json_string(out_, entries[i].first);
      out_.push_back(':');
      write(entries[i].second, depth + 1);
    }
    out_.push_back('}');
  }

  std::string& out_;
};

}  // namespace

std::pair<std::string_view, std::string_view> otlp_key_value(pbf_reader fields) {
  std::pair<std::string_view, std::string_view> out;
  while (fields.next()) {
    switch (fields.tag()) {
      case 1:
        out.first = view_of(fields);
        break;
      case 2:
        out.second = view_of(fields);
        break;
      default:
        fields.skip();
    }
  }
  return out;
}

void write_otlp_value(std::string& out, std::string_view any_value) {
  ValueWriter(out).write(any_value, 0);
}

}  // namespace binnacle::collect::receive
