#include "base/template_format.h"

#include "base/template_format_number.h"
#include "base/template_time.h"
#include "base/utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace binnacle {
namespace {

constexpr int kMaxNesting = 50;       // of lists in lists
constexpr int kMaxWidth = 1'000'000;  // fmt's own bound

bool is_string(const TemplateValue& value) {
  return std::holds_alternative<std::string>(value.data());
}

// Prints one value after the other into one text.
class Printer {
 public:
  explicit Printer(std::string& out) : out_(out) {}

  void print(const TemplateValue& value, const FormatSpec& spec, int depth = 0) {
    if (depth > kMaxNesting || out_.size() >= kMaxTemplateTextBytes) return;
    if (const auto* list = std::get_if<std::shared_ptr<const TemplateValue::List>>(&value.data()))
      return print_list(**list, spec, depth);
    if (const auto* map = std::get_if<std::shared_ptr<const TemplateValue::Map>>(&value.data()))
      return print_map(**map, spec, depth);
    const std::string text =
        spec.verb == 'T' ? std::string(template_type_name(value)) : scalar(value, spec);
    out_.append(text, 0, kMaxTemplateTextBytes - out_.size());
  }

 private:
  void print_list(const TemplateValue::List& list, const FormatSpec& spec, int depth) {
    out_ += '[';
    bool first = true;
    for (const TemplateValue& item : list) {
      if (!first) out_ += ' ';
      first = false;
      print(item, spec, depth + 1);
    }
    out_ += ']';
  }

  void print_map(const TemplateValue::Map& map, const FormatSpec& spec, int depth) {
    out_ += "map[";
    bool first = true;
    for (const auto& [key, item] : map) {
      if (!first) out_ += ' ';
      first = false;
      print(TemplateValue(key), spec, depth + 1);
      out_ += ':';
      print(item, spec, depth + 1);
    }
    out_ += ']';
  }

  static std::string scalar(const TemplateValue& value, const FormatSpec& spec) {
    std::optional<std::string> text;
    if (const auto* b = std::get_if<bool>(&value.data())) {
      if (spec.verb == 'v' || spec.verb == 't') text = pad(*b ? "true" : "false", spec);
    } else if (const auto* i = std::get_if<int64_t>(&value.data())) {
      text = format_int(*i, spec);
    } else if (const auto* d = std::get_if<double>(&value.data())) {
      text = format_float(*d, spec);
    } else if (const auto* s = std::get_if<std::string>(&value.data())) {
      text = format_string(*s, spec);
    } else if (const auto* t = std::get_if<TemplateTime>(&value.data())) {
      text = format_string(template_time_text(*t), spec);
    } else if (const auto* o = std::get_if<std::shared_ptr<const TemplateObject>>(&value.data())) {
      text = format_string((*o)->text(), spec);
    } else if (spec.verb == 'v') {
      text = pad("<nil>", spec);
    } else {
      return fmt::format("%!{}(<nil>)", spec.verb_text());
    }
    if (text) return *std::move(text);
    return fmt::format("%!{}({}={})", spec.verb_text(), template_type_name(value),
                       template_value_text(value));
  }

  std::string& out_;
};

// Walks through a format as fmt's doPrintf does.
class Formatter {
 public:
  Formatter(std::string_view format, std::span<const TemplateValue> args)
      : format_(format), args_(args) {}

  std::string run() {
    while (at_ < format_.size() && out_.size() < kMaxTemplateTextBytes) {
      const size_t percent = std::min(format_.find('%', at_), format_.size());
      out_ += format_.substr(at_, percent - at_);
      at_ = percent;
      if (at_ < format_.size()) verb();
    }
    if (!reordered_ && next_arg_ < args_.size()) extra();
    return std::move(out_);
  }

 private:
  char peek() const { return at_ < format_.size() ? format_[at_] : '\0'; }

  void flags(FormatSpec& spec) {
    for (;; ++at_) {
      switch (peek()) {
        case '+':
          spec.plus = true;
          break;
        case '-':
          spec.minus = true;
          break;
        case '#':
          spec.sharp = true;
          break;
        case ' ':
          spec.space = true;
          break;
        case '0':
          spec.zero = true;
          break;
        default:
          return;
      }
    }
  }

  // "[3]" chooses the argument that comes next.
  void argument_index() {
    if (peek() != '[') return;
    const size_t close = format_.find(']', at_);
    if (close == std::string_view::npos) return;
    size_t number = 0;
    for (const char c : format_.substr(at_ + 1, close - at_ - 1)) {
      if (c < '0' || c > '9' || number > args_.size()) number = args_.size() + 1;
      number = number * 10 + static_cast<size_t>(c - '0');
    }
    at_ = close + 1;
    reordered_ = true;
    bad_index_ = number < 1 || number > args_.size();
    if (!bad_index_) next_arg_ = number - 1;
  }

  // A number, or '*' for an argument that is one.
  std::optional<int> number() {
    argument_index();
    if (peek() == '*') {
      ++at_;
      if (next_arg_ >= args_.size()) return std::nullopt;
      const auto* value = std::get_if<int64_t>(&args_[next_arg_++].data());
      if (!value || *value > kMaxWidth || *value < -kMaxWidth) return std::nullopt;
      return static_cast<int>(*value);
    }
    if (peek() < '0' || peek() > '9') return std::nullopt;
    int value = 0;
    for (; peek() >= '0' && peek() <= '9'; ++at_)
      value = std::min(value * 10 + (peek() - '0'), kMaxWidth);
    return value;
  }

  void verb() {
    ++at_;
    FormatSpec spec;
    bad_index_ = false;
    flags(spec);
    if (const auto width = number()) {
      spec.minus = spec.minus || *width < 0;
      spec.width = std::abs(*width);
    }
    if (peek() == '.') {
      ++at_;
      spec.precision = std::max(number().value_or(0), 0);
    }
    argument_index();
    if (at_ >= format_.size()) {
      out_ += "%!(NOVERB)";
      return;
    }
    const size_t length = std::max<size_t>(utf8_step(format_.substr(at_)).bytes, 1);
    const std::string_view name = format_.substr(at_, length);
    at_ += length;
    spec.verb = length == 1 ? name[0] : '\0';
    spec.other_verb = name;
    if (spec.verb == '%') {
      out_ += '%';
    } else if (bad_index_) {
      out_ += fmt::format("%!{}(BADINDEX)", name);
    } else if (next_arg_ >= args_.size()) {
      out_ += fmt::format("%!{}(MISSING)", name);
    } else {
      Printer(out_).print(args_[next_arg_++], spec);
    }
  }

  void extra() {
    out_ += "%!(EXTRA ";
    for (size_t i = next_arg_; i < args_.size(); ++i) {
      if (i > next_arg_) out_ += ", ";
      out_ += template_type_name(args_[i]);
      if (std::holds_alternative<std::monostate>(args_[i].data())) continue;
      out_ += '=';
      Printer(out_).print(args_[i], FormatSpec{});
    }
    out_ += ')';
  }

  std::string_view format_;
  std::span<const TemplateValue> args_;
  std::string out_;
  size_t at_ = 0;
  size_t next_arg_ = 0;
  bool reordered_ = false;
  bool bad_index_ = false;
};

}  // namespace

std::string template_value_text(const TemplateValue& value) {
  if (const auto* text = std::get_if<std::string>(&value.data())) return *text;
  std::string out;
  Printer(out).print(value, FormatSpec{});
  return out;
}

std::string template_print(std::span<const TemplateValue> args) {
  std::string out;
  for (size_t i = 0; i < args.size(); ++i) {
    if (i > 0 && !is_string(args[i]) && !is_string(args[i - 1])) out += ' ';
    Printer(out).print(args[i], FormatSpec{});
  }
  return out;
}

std::string template_println(std::span<const TemplateValue> args) {
  std::string out;
  for (size_t i = 0; i < args.size(); ++i) {
    if (i > 0) out += ' ';
    Printer(out).print(args[i], FormatSpec{});
  }
  out += '\n';
  return out;
}

std::string template_printf(std::string_view format, std::span<const TemplateValue> args) {
  return Formatter(format, args).run();
}

std::string_view template_type_name(const TemplateValue& value) {
  static constexpr std::string_view kNames[] = {"<nil>",
                                                "bool",
                                                "int",
                                                "float64",
                                                "string",
                                                "time.Time",
                                                "[]interface {}",
                                                "map[string]interface {}",
                                                "object"};
  static_assert(std::size(kNames) == std::variant_size_v<TemplateValue::Data>);
  return kNames[value.data().index()];
}

std::string template_quote(std::string_view text) {
  FormatSpec spec;
  spec.verb = 'q';
  return format_string(text, spec).value_or("");
}

}  // namespace binnacle
