// The Reader's part that reads the lines which begin with `#`.
#include <cstring>

#include "base/utf8.h"
#include "collect/exposition/exposition.h"
#include "collect/exposition/name_bytes.h"

namespace binnacle::collect::exposition {
namespace {

using model::MetricType;

struct TypeName {
  std::string_view name;
  MetricType type;
  bool of_text;
  bool of_openmetrics;
};
constexpr TypeName kTypes[] = {
    {"counter", MetricType::kCounter, true, true},
    {"gauge", MetricType::kGauge, true, true},
    {"histogram", MetricType::kHistogram, true, true},
    {"summary", MetricType::kSummary, true, true},
    {"untyped", MetricType::kUnknown, true, false},
    {"unknown", MetricType::kUnknown, false, true},
    {"gaugehistogram", MetricType::kGaugeHistogram, false, true},
    {"info", MetricType::kInfo, false, true},
    {"stateset", MetricType::kStateset, false, true},
};

}  // namespace

// At `#`. Not found: a comment, passed over.
Status Reader::read_comment(Entry& entry, bool& found) {
  found = true;
  const bool text = format_ == Format::kText;
  ++at_;
  if (!text && (at_ == end_ || *at_ != ' ')) return wrong("expected a space behind `#`");
  const char* const behind_mark = at_;
  take_spaces();
  if (!text && at_ - behind_mark != 1) return wrong("expected one space behind `#`");
  for (const std::string_view keyword : {"HELP", "TYPE", "UNIT"}) {
    const std::string_view here(at_, static_cast<size_t>(end_ - at_));
    if (at_ == behind_mark || !here.starts_with(keyword) || here.size() == keyword.size() ||
        !is_blank(here[keyword.size()]) || (text && keyword == "UNIT"))
      continue;
    at_ += keyword.size();
    return read_metadata(keyword, entry);
  }
  if (!text) return read_end(entry);
  found = false;
  const void* const newline = std::memchr(at_, '\n', static_cast<size_t>(end_ - at_));
  at_ = newline == nullptr ? end_ : static_cast<const char*>(newline) + 1;
  return {};
}

Status Reader::read_end(Entry& entry) {
  const std::string_view here(at_, static_cast<size_t>(end_ - at_));
  if (!here.starts_with("EOF")) return wrong("expected HELP, TYPE, UNIT or EOF");
  at_ += 3;
  if (!take_end_of_line() || at_ != end_) return wrong("there is more behind `# EOF`");
  entry.kind = Entry::Kind::kEnd;
  return {};
}

Status Reader::read_metadata(std::string_view keyword, Entry& entry) {
  const bool openmetrics = format_ == Format::kOpenMetrics;
  take_spaces();
  TRY(read_family(entry));
  if (openmetrics && (at_ == end_ || *at_ != ' ')) return wrong("expected a space and a text");
  if (at_ != end_ && is_blank(*at_)) ++at_;
  const void* const newline = std::memchr(at_, '\n', static_cast<size_t>(end_ - at_));
  if (openmetrics && newline == nullptr) return wrong("OpenMetrics ends with `# EOF`");
  const char* const line_end = newline == nullptr ? end_ : static_cast<const char*>(newline);
  std::string_view text(at_, static_cast<size_t>(line_end - at_));
  if (text.ends_with('\r')) text.remove_suffix(1);
  if (keyword == "TYPE") {
    TRY(read_type(text, entry));
  } else if (keyword == "UNIT") {
    TRY(read_unit(text, entry));
  } else {
    if (!is_valid_utf8(text)) return wrong("the help is not valid UTF-8");
    entry.kind = Entry::Kind::kHelp;
    // The text format escapes no quotes there.
    entry.text = unescaped(text, openmetrics, unescaped_);
  }
  at_ = line_end == end_ ? end_ : line_end + 1;
  return {};
}

Status Reader::read_family(Entry& entry) {
  if (at_ != end_ && *at_ == '"') {
    const char* const start = at_ + 1;
    const char* const stop = end_of_quoted(start, end_);
    if (stop == nullptr) return wrong("a quoted text has no end");
    entry.family = {start, static_cast<size_t>(stop - start - 1)};
    at_ = stop;
    return {};
  }
  if (at_ == end_ || !is_name_start(*at_)) return wrong("expected a metric's name");
  const char* const start = at_;
  while (at_ != end_ && is_name_byte(*at_)) ++at_;
  entry.family = {start, static_cast<size_t>(at_ - start)};
  if (!at_end_of_line() && !is_blank(*at_)) return wrong("not a byte of a metric's name");
  return {};
}

Status Reader::read_type(std::string_view text, Entry& entry) {
  for (const TypeName& one : kTypes) {
    if (one.name != text) continue;
    if (!(format_ == Format::kText ? one.of_text : one.of_openmetrics)) continue;
    entry.kind = Entry::Kind::kType;
    entry.type = one.type;
    last_type_ = one.type;
    return {};
  }
  return wrong("not a type of metric");
}

Status Reader::read_unit(std::string_view text, Entry& entry) {
  const std::string_view family = entry.family;
  if (!text.empty() && !(family.size() > text.size() && family.ends_with(text) &&
                         family[family.size() - text.size() - 1] == '_'))
    return wrong("the metric's name does not end in its unit");
  entry.kind = Entry::Kind::kUnit;
  entry.text = text;
  return {};
}

}  // namespace binnacle::collect::exposition
