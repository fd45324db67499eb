#include "collect/exposition/exposition.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/utf8.h"
#include "collect/exposition/float_reader.h"
#include "collect/exposition/name_bytes.h"

namespace binnacle::collect::exposition {
namespace {

constexpr size_t kShownBytes = 60;  // of the text that an error names

// A shown text is one line of valid UTF-8, whatever the target sent.
std::string shown(std::string_view text) {
  std::string out = to_valid_utf8(text.substr(0, kShownBytes));
  std::ranges::replace_if(
      out, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return out;
}

}  // namespace

void Reader::begin(std::string_view body, Format format) {
  body_ = body;
  format_ = format;
  at_ = body.data();
  end_ = at_ + body.size();
  line_start_ = at_;
  series_ = {};
  last_type_ = model::MetricType::kUnknown;
}

size_t Reader::line() const {
  return 1 + static_cast<size_t>(std::count(body_.data(), line_start_, '\n'));
}

Unexpected Reader::wrong(std::string_view what) const {
  const auto column = static_cast<size_t>(at_ - line_start_) + 1;
  const std::string_view here(at_, static_cast<size_t>(end_ - at_));
  return fail(
      Code::kInvalidArgument,
      here.empty()
          ? fmt::format("line {}, column {}: {} (the body ends here)", line(), column, what)
          : fmt::format("line {}, column {}: {}: \"{}\"", line(), column, what, shown(here)));
}

bool Reader::at_end_of_line() const {
  if (at_ == end_ || *at_ == '\n') return true;
  return *at_ == '\r' && (at_ + 1 == end_ || at_[1] == '\n');
}

bool Reader::take_end_of_line() {
  if (!at_end_of_line()) return false;
  if (at_ != end_ && *at_ == '\r') ++at_;
  if (at_ != end_) ++at_;
  return true;
}

void Reader::take_spaces() {
  while (at_ != end_ && is_blank(*at_)) ++at_;
}

// Between the parts of a line: OpenMetrics has one space there, the text format any blanks.
bool Reader::take_gap() {
  if (format_ == Format::kText) {
    take_spaces();
    return true;
  }
  if (at_ == end_ || *at_ != ' ') return false;
  ++at_;
  return true;
}

bool Reader::take_blank_lines() {
  do {
    line_start_ = at_;
    take_spaces();
    if (at_ == end_) return true;
  } while (take_end_of_line());
  return false;
}

Status Reader::next(Entry& entry) {
  for (;;) {
    line_start_ = at_;
    if (format_ == Format::kText && take_blank_lines()) {
      entry.kind = Entry::Kind::kEnd;
      return {};
    }
    if (at_ == end_) return wrong("OpenMetrics ends with `# EOF`");
    if (*at_ != '#') return read_series(entry);
    bool found = false;
    TRY(read_comment(entry, found));
    if (found) return {};
  }
}

Status Reader::next_known(size_t series_bytes, Entry& entry) {
  line_start_ = at_;
  at_ += series_bytes;
  series_ = {line_start_, series_bytes};
  return read_sample(entry);
}

Status Reader::read_series(Entry& entry) {
  const char* const start = at_;
  if (*at_ != '{') {
    if (!is_name_start(*at_)) return wrong("expected a metric's name, `{` or `#`");
    while (at_ != end_ && is_name_byte(*at_)) ++at_;
  }
  const char* const name_end = at_;
  if (format_ == Format::kText) take_spaces();
  if (at_ != end_ && *at_ == '{') {
    TRY(find_closing_brace());
  } else {
    at_ = name_end;
  }
  series_ = {start, static_cast<size_t>(at_ - start)};
  return read_sample(entry);
}

// Only quotes and the brace count here; a value may hold both a brace and, in the text format, a
// newline.
Status Reader::find_closing_brace() {
  ++at_;
  for (;;) {
    while (at_ != end_ && *at_ != '"' && *at_ != '}' && *at_ != '\n') ++at_;
    if (at_ == end_ || *at_ == '\n') return wrong("expected `}` at the end of the labels");
    if (*at_++ == '}') return {};
    const char* const open = at_ - 1;
    at_ = end_of_quoted(at_, end_);
    if (at_ == nullptr) {
      at_ = open;
      return wrong("a quoted text has no end");
    }
  }
}

Status Reader::read_sample(Entry& entry) {
  if (!take_gap()) return wrong("expected a space and the value");
  auto value = read_plain_float(at_, end_);
  if (!value) {
    const char* token_end = at_;
    while (token_end != end_ && static_cast<unsigned char>(*token_end) > ' ') ++token_end;
    const std::string_view token(at_, static_cast<size_t>(token_end - at_));
    value = read_float(token);
    if (!value) return wrong(token.empty() ? "expected the value" : "not a number");
    at_ = token_end;
  }
  entry.kind = Entry::Kind::kSample;
  entry.series = series_;
  entry.value = *value;
  entry.timestamp_ms.reset();
  entry.has_exemplar = false;
  if (at_ != end_ && *at_ == '\n') {
    ++at_;
    return {};
  }
  return format_ == Format::kText ? read_text_timestamp(entry) : read_openmetrics_tail(entry);
}

Status Reader::read_text_timestamp(Entry& entry) {
  take_spaces();
  if (take_end_of_line()) return {};
  int64_t time = 0;
  const char* const start = at_;
  for (; at_ != end_ && *at_ >= '0' && *at_ <= '9'; ++at_) {
    if (__builtin_mul_overflow(time, 10, &time) ||
        __builtin_add_overflow(time, *at_ - '0', &time)) {
      at_ = start;
      return wrong("the timestamp is out of range");
    }
  }
  if (at_ == start) return wrong("expected a timestamp in milliseconds or the end of the line");
  entry.timestamp_ms = time;
  take_spaces();
  if (!take_end_of_line()) return wrong("expected the end of the line");
  return {};
}

Status Reader::read_openmetrics_tail(Entry& entry) {
  if (!at_end_of_line()) {
    if (*at_ != ' ') return wrong("expected a space, then a timestamp or an exemplar");
    ++at_;
    if (at_ != end_ && *at_ != '#') {
      TRY(read_openmetrics_timestamp(entry));
      if (!at_end_of_line() && *at_ == ' ') ++at_;
    }
    if (at_ != end_ && *at_ == '#') {
      TRY(read_exemplar());
      entry.has_exemplar = true;
    }
  }
  if (at_ == end_) return wrong("OpenMetrics ends with `# EOF`");
  if (!take_end_of_line()) return wrong("expected the end of the line");
  return {};
}

Status Reader::read_openmetrics_timestamp(Entry& entry) {
  const char* token_end = at_;
  while (token_end != end_ && static_cast<unsigned char>(*token_end) > ' ') ++token_end;
  const auto seconds = read_float({at_, static_cast<size_t>(token_end - at_)});
  constexpr double kMaxSeconds = 9e15;  // as milliseconds still an int64_t
  if (!seconds || !(*seconds > -kMaxSeconds && *seconds < kMaxSeconds))
    return wrong("expected a timestamp in seconds");
  entry.timestamp_ms = static_cast<int64_t>(*seconds * 1000);
  at_ = token_end;
  return {};
}

// `# {labels} value [timestamp]`: checked as far as its end needs to be found.
Status Reader::read_exemplar() {
  if (end_ - at_ < 3 || at_[1] != ' ' || at_[2] != '{') return wrong("expected an exemplar");
  at_ += 2;
  TRY(find_closing_brace());
  for (int i = 0; i < 2 && !at_end_of_line(); ++i) {
    if (*at_ != ' ') return wrong("expected a space in the exemplar");
    ++at_;
    const char* token_end = at_;
    while (token_end != end_ && static_cast<unsigned char>(*token_end) > ' ') ++token_end;
    if (!read_float({at_, static_cast<size_t>(token_end - at_)}))
      return wrong("expected a number in the exemplar");
    at_ = token_end;
  }
  return {};
}

}  // namespace binnacle::collect::exposition
