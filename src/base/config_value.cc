#include "base/config_value.h"

#include "base/check.h"
#include "base/config_units.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace binnacle {
namespace {

// What is wrong with a text, and what to do.
struct Complaint {
  std::string what;
  std::string advice;
};
using Parsed = tl::expected<ConfigValue, Complaint>;

tl::unexpected<Complaint> complain(std::string what, std::string advice) {
  return tl::unexpected(Complaint{std::move(what), std::move(advice)});
}

template <typename Number>
Parsed parse_number(std::string_view text, std::string_view what) {
  Number number{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc::result_out_of_range) {
    return complain("number does not fit", "write a smaller one");
  }
  if (error != std::errc() || stop != end) {
    return complain("wrong type", fmt::format("write {}", what));
  }
  if constexpr (std::is_floating_point_v<Number>) {
    if (!std::isfinite(number)) return complain("wrong type", "write a finite number");
  }
  return number;
}

// The unit parsers' own text reads `bad duration (5): what to do`; the value is named once, by the
// caller.
Parsed parse_unit(const Result<int64_t>& parsed, const std::string& what) {
  if (parsed) return *parsed;
  const std::string& message = parsed.error().message;
  const size_t advice = message.find("): ");
  CHECK(advice != std::string::npos);
  return complain(what, message.substr(advice + 3));
}

Parsed parse_unbounded(ConfigType type, std::string_view text) {
  switch (type) {
    case ConfigType::kBool:
      if (text == "true") return true;
      if (text == "false") return false;
      return complain("wrong type", "write true or false");
    case ConfigType::kInt:
      return parse_number<int64_t>(text, "a whole number");
    case ConfigType::kFloat:
      return parse_number<double>(text, "a number");
    case ConfigType::kDuration:
      return parse_unit(parse_duration_ms(text), "bad duration");
    case ConfigType::kBytes:
      return parse_unit(parse_bytes(text), "bad size");
    default:
      return std::string(text);
  }
}

bool is_number(ConfigType type) {
  return type == ConfigType::kInt || type == ConfigType::kFloat || type == ConfigType::kDuration ||
         type == ConfigType::kBytes;
}

std::optional<Complaint> bounds_complaint(const ConfigKey& key, const ConfigValue& value) {
  const auto bound = [&](const std::string& text) {
    const Parsed parsed = parse_unbounded(key.type, text);
    CHECK(parsed.has_value());
    return *parsed;
  };
  const bool below = !key.min.empty() && value < bound(key.min);
  const bool above = !key.max.empty() && bound(key.max) < value;
  if (!below && !above) return std::nullopt;
  std::string range;
  if (!key.min.empty() && !key.max.empty()) {
    range = fmt::format("write one from {} to {}", key.min, key.max);
  } else if (below) {
    range = fmt::format("write at least {}", key.min);
  } else {
    range = fmt::format("write at most {}", key.max);
  }
  return Complaint{"value out of range", std::move(range)};
}

// Choices and the key's own check, for one string of a value.
std::optional<Complaint> text_complaint(const ConfigKey& key, std::string_view text) {
  const auto& choices = key.choices;
  if (!choices.empty() && std::find(choices.begin(), choices.end(), text) == choices.end()) {
    return Complaint{"unknown choice", fmt::format("write one of {}", fmt::join(choices, ", "))};
  }
  if (key.check) {
    std::string advice = key.check(text);
    if (!advice.empty()) return Complaint{"value not usable", std::move(advice)};
  }
  return std::nullopt;
}

Parsed parse_scalar(const ConfigKey& key, std::string_view text) {
  Parsed parsed = parse_unbounded(key.type, text);
  if (!parsed) return parsed;
  auto complaint = is_number(key.type)             ? bounds_complaint(key, *parsed)
                   : key.type == ConfigType::kBool ? std::nullopt
                                                   : text_complaint(key, text);
  if (complaint) return tl::unexpected(std::move(*complaint));
  return parsed;
}

class ValueReader {
 public:
  ValueReader(const ConfigKey& key, std::string_view path, Substitution& substitution,
              ConfigProblems& problems)
      : key_(key), path_(path), substitution_(substitution), problems_(problems) {}

  std::optional<ConfigEntry> read(const YamlNode& node, int line) {
    ConfigEntry entry;
    entry.key = &key_;
    entry.line = line;
    if (node.kind == YamlNode::Kind::kNull) {
      problems_.add(line, fmt::format("{}: no value: give it one, or remove the line for the "
                                      "default{}",
                                      path_, default_hint()));
      return std::nullopt;
    }
    const bool fine = key_.type == ConfigType::kStrings ? read_list(node, line, entry)
                      : key_.type == ConfigType::kMap   ? read_map(node, line, entry)
                                                        : read_scalar(node, line, entry);
    if (!fine) return std::nullopt;
    return entry;
  }

 private:
  std::string default_hint() const {
    return key_.default_text.empty() ? "" : fmt::format(" {}", key_.default_text);
  }

  bool wrong_kind(const YamlNode& node, int line, std::string_view wanted) {
    problems_.add(line, fmt::format("{}: wrong type", path_), kind_name(node.kind),
                  fmt::format("write {}", wanted));
    return false;
  }

  // The text with its substitutions made; nullopt after a problem.
  std::optional<Substitution::Outcome> expand(const YamlNode& node) {
    auto outcome = substitution_.apply(node.text);
    if (!outcome) {
      problems_.add(node.line, fmt::format("{}: {}", path_, outcome.error().message));
      return std::nullopt;
    }
    return std::move(*outcome);
  }

  void refuse(const YamlNode& node, const Complaint& complaint) {
    // As written: what was substituted is a secret, and so is the value of a secret key.
    problems_.add(node.line, fmt::format("{}: {}", path_, complaint.what),
                  key_.secret ? "***" : node.text, complaint.advice);
  }

  bool read_scalar(const YamlNode& node, int line, ConfigEntry& entry) {
    if (node.kind != YamlNode::Kind::kScalar) return wrong_kind(node, line, "a single value");
    const auto text = expand(node);
    if (!text) return false;
    const bool bare = key_.type == ConfigType::kBool || key_.type == ConfigType::kInt ||
                      key_.type == ConfigType::kFloat;
    // Flow style needs quotes round ${...}, so substituted numbers may stand in them.
    if (bare && node.quoted && !text->substituted) {
      refuse(node, {"wrong type", "remove the quotes, which make it text"});
      return false;
    }
    Parsed parsed = parse_scalar(key_, text->text);
    if (!parsed) {
      refuse(node, parsed.error());
      return false;
    }
    entry.value = std::move(*parsed);
    if (text->substituted) entry.as_written = node.text;
    return true;
  }

  // One string of a list or map into `real` and `written`; false after a problem.
  bool read_text(const YamlNode& node, int line, std::string& real, std::string& written,
                 bool& substituted) {
    if (node.kind != YamlNode::Kind::kScalar) return wrong_kind(node, line, "text");
    auto text = expand(node);
    if (!text) return false;
    if (const auto complaint = text_complaint(key_, text->text)) {
      refuse(node, *complaint);
      return false;
    }
    substituted |= text->substituted;
    written = text->substituted ? node.text : escape_substitution(text->text);
    real = std::move(text->text);
    return true;
  }

  bool read_list(const YamlNode& node, int line, ConfigEntry& entry) {
    if (node.kind != YamlNode::Kind::kSequence) return wrong_kind(node, line, "a list");
    std::vector<std::string> real, written;
    bool fine = true, substituted = false;
    for (const YamlNodePtr& item : node.items) {
      fine &=
          read_text(*item, item->line, real.emplace_back(), written.emplace_back(), substituted);
    }
    entry.value = std::move(real);
    if (substituted) entry.as_written = std::move(written);
    return fine;
  }

  bool read_map(const YamlNode& node, int line, ConfigEntry& entry) {
    if (node.kind != YamlNode::Kind::kMap) return wrong_kind(node, line, "a map of names to texts");
    ConfigMap real, written;
    bool fine = true, substituted = false;
    for (const YamlEntry& item : node.entries) {
      fine &= read_text(*item.value, item.line, real[item.key], written[item.key], substituted);
    }
    entry.value = std::move(real);
    if (substituted) entry.as_written = std::move(written);
    return fine;
  }

  const ConfigKey& key_;
  const std::string_view path_;
  Substitution& substitution_;
  ConfigProblems& problems_;
};

}  // namespace

std::optional<ConfigEntry> read_value(const ConfigKey& key, std::string_view path,
                                      const YamlNode& node, int line, Substitution& substitution,
                                      ConfigProblems& problems) {
  CHECK(key.type != ConfigType::kObjects);
  return ValueReader(key, path, substitution, problems).read(node, line);
}

ConfigEntry default_value(const ConfigKey& key) {
  ConfigEntry entry;
  entry.key = &key;
  if (key.type == ConfigType::kStrings) {
    std::vector<std::string> texts;
    ConfigProblems problems(key.path);
    const YamlNodePtr list = read_yaml(key.default_text, problems);
    for (const YamlNodePtr& item : list->items) {
      CHECK(!text_complaint(key, item->text));
      texts.push_back(item->text);
    }
    CHECK(problems.empty());
    entry.value = std::move(texts);
  } else if (key.type == ConfigType::kMap) {
    CHECK(key.default_text == "{}");
    entry.value = ConfigMap{};
  } else {
    CHECK(key.type != ConfigType::kObjects);
    // An empty text means "not set" whatever the check asks of one that is.
    Parsed parsed = key.type == ConfigType::kString && key.default_text.empty()
                        ? Parsed(std::string())
                        : parse_scalar(key, key.default_text);
    CHECK(parsed.has_value());
    entry.value = std::move(*parsed);
  }
  return entry;
}

std::string scalar_text(const ConfigKey& key, const ConfigValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<double>(&value)) return fmt::format("{}", *number);
  const auto* number = std::get_if<int64_t>(&value);
  CHECK(number != nullptr);
  if (key.type == ConfigType::kDuration) return format_duration_ms(*number);
  if (key.type == ConfigType::kBytes) return format_bytes(*number);
  return fmt::format("{}", *number);
}

}  // namespace binnacle
