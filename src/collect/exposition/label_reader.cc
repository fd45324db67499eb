#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "base/utf8.h"
#include "collect/exposition/exposition.h"
#include "collect/exposition/float_reader.h"
#include "collect/exposition/name_bytes.h"

namespace binnacle::collect::exposition {
namespace {

using model::MetricType;

struct RawLabel {
  std::string_view name;
  std::string_view value;
};

// Reads `name{a="b", ...}`, its views still escaped.
class LabelReader {
 public:
  LabelReader(std::string_view series, bool openmetrics)
      : at_(series.data()), end_(at_ + series.size()), openmetrics_(openmetrics) {}

  Status read() {
    const char* const start = at_;
    while (at_ != end_ && is_name_byte(*at_)) ++at_;
    name_ = {start, static_cast<size_t>(at_ - start)};
    has_name_ = !name_.empty();
    take_spaces();
    if (at_ != end_) TRY(read_braces());
    if (!has_name_) return fail(Code::kInvalidArgument, "the series has no metric name");
    return {};
  }

  std::string_view name() const { return name_; }
  const std::vector<RawLabel>& labels() const { return labels_; }

 private:
  void take_spaces() {
    if (openmetrics_) return;
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\t')) ++at_;
  }

  Unexpected wrong(std::string_view what) const {
    return fail(
        Code::kInvalidArgument,
        fmt::format("{} at \"{}\"", what,
                    to_valid_utf8({at_, std::min<size_t>(40, static_cast<size_t>(end_ - at_))})));
  }

  // The reader of lines found the quotes' and the braces' ends before.
  std::string_view quoted() {
    const char* const start = at_ + 1;
    at_ = end_of_quoted(start, end_);
    return {start, static_cast<size_t>(at_ - start - 1)};
  }

  // Ends behind the closing brace, the last byte.
  Status read_braces() {
    ++at_;
    for (;;) {
      take_spaces();
      if (*at_ == '}') return {};
      TRY(read_one());
      take_spaces();
      if (*at_ == ',') {
        ++at_;
      } else if (*at_ != '}' && openmetrics_) {
        return wrong("expected a comma or `}`");
      }
      if (labels_.size() > kMaxLabelsOfSeries) {
        return fail(Code::kInvalidArgument,
                    fmt::format("a series has more than {} labels", kMaxLabelsOfSeries));
      }
    }
  }

  Status read_one() {
    const bool is_quoted = *at_ == '"';
    std::string_view name;
    if (is_quoted) {
      name = quoted();
    } else {
      const char* const start = at_;
      if (!is_name_start(*at_)) return wrong("expected a label's name");
      while (is_name_byte(*at_) && *at_ != ':') ++at_;
      name = {start, static_cast<size_t>(at_ - start)};
      if (name.empty()) return wrong("expected a label's name");
    }
    take_spaces();
    if (is_quoted && (*at_ == ',' || *at_ == '}')) {
      if (has_name_) return wrong("the metric has a second name");
      name_ = name;
      has_name_ = true;
      return {};
    }
    if (*at_ != '=') return wrong("expected `=`");
    ++at_;
    take_spaces();
    if (*at_ != '"') return wrong("expected a label's value in quotes");
    const std::string_view value = quoted();
    if (openmetrics_ && value.find('\n') != std::string_view::npos)
      return wrong("a label's value has a line break before");
    labels_.push_back({name, value});
    return {};
  }

  const char* at_;
  const char* const end_;
  const bool openmetrics_;
  bool has_name_ = false;
  std::string_view name_;
  std::vector<RawLabel> labels_;
};

bool is_bound(MetricType type, std::string_view name) {
  return (type == MetricType::kHistogram && name == "le") ||
         (type == MetricType::kSummary && name == "quantile");
}

Status check_utf8(std::string_view text, std::string_view what) {
  if (is_valid_utf8(text)) return {};
  return fail(Code::kInvalidArgument, fmt::format("{} is not valid UTF-8: \"{}\"", what,
                                                  to_valid_utf8(text.substr(0, 60))));
}

Status check_unique(std::vector<std::string> names) {
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  if (twice == names.end()) return {};
  return fail(Code::kInvalidArgument, fmt::format("label \"{}\" is there twice", *twice));
}

}  // namespace

std::string_view unescaped(std::string_view text, bool quotes, std::string& storage) {
  if (text.find('\\') == std::string_view::npos) return text;
  storage.clear();
  for (size_t i = 0; i < text.size(); ++i) {
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    const bool known = text[i] == '\\' && (next == '\\' || next == 'n' || (quotes && next == '"'));
    if (!known) {
      storage += text[i];
      continue;
    }
    storage += next == 'n' ? '\n' : next;
    ++i;
  }
  return storage;
}

Status Reader::read_labels(model::LabelsBuilder& labels) const {
  LabelReader reader(series_, format_ == Format::kOpenMetrics);
  const auto at_line = [&](Error error) {
    return fail(std::move(error).with_context(fmt::format("line {}", line())));
  };
  if (auto read = reader.read(); !read) return at_line(std::move(read).error());
  labels.reset();
  std::string storage;
  std::vector<std::string> names{std::string(model::kMetricName)};
  labels.set(model::kMetricName, unescaped(reader.name(), true, storage));
  if (auto good = check_utf8(reader.name(), "a metric's name"); !good)
    return at_line(std::move(good).error());
  for (const auto& [raw_name, raw_value] : reader.labels()) {
    for (const std::string_view text : {raw_name, raw_value}) {
      if (auto good = check_utf8(text, "a label"); !good) return at_line(std::move(good).error());
    }
    names.emplace_back(unescaped(raw_name, true, storage));
    std::string_view value = unescaped(raw_value, true, storage);
    std::string bound;
    if (is_bound(last_type_, names.back())) {
      if (const auto number = read_float(value)) value = bound = openmetrics_float(*number);
    }
    labels.set(names.back(), value);
  }
  if (auto good = check_unique(std::move(names)); !good) return at_line(std::move(good).error());
  return {};
}

}  // namespace binnacle::collect::exposition
