#include "base/yaml_reader.h"

#include "base/config_units.h"
#include "base/file_system.h"
#include "base/nearest_name.h"
#include "base/utf8.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace binnacle {
namespace {

constexpr std::string_view kTrue[] = {"true", "True", "TRUE", "yes", "Yes", "YES",
                                      "y",    "Y",    "on",   "On",  "ON"};
constexpr std::string_view kFalse[] = {"false", "False", "FALSE", "no",  "No", "NO",
                                       "n",     "N",     "off",   "Off", "OFF"};

bool is_one_of(std::string_view text, std::span<const std::string_view> words) {
  return std::ranges::find(words, text) != words.end();
}

template <typename T>
std::optional<T> whole(std::string_view text, int base = 10) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> decimal(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

std::optional<int64_t> integer_of(std::string_view text) {
  if (text.starts_with("0x")) return whole<int64_t>(text.substr(2), 16);
  if (text.starts_with("0o")) return whole<int64_t>(text.substr(2), 8);
  if (const auto value = whole<int64_t>(text)) return value;
  const auto value = decimal(text);  // 1e6
  if (!value || *value != std::floor(*value) || std::abs(*value) > 9e15) return std::nullopt;
  return static_cast<int64_t>(*value);
}

// "10MB", "1.5GiB", "1MB512KB".
std::optional<uint64_t> size_of(std::string_view text) {
  constexpr std::string_view kPrefixes = "KMGTPE";
  if (text == "0") return 0;
  if (text.empty()) return std::nullopt;
  double total = 0;
  while (!text.empty()) {
    const size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
    const auto value = decimal(text.substr(0, digits));
    text.remove_prefix(digits);
    if (!value || text.empty()) return std::nullopt;
    double unit = 1;
    if (const size_t power = kPrefixes.find(text.front()); power != std::string_view::npos) {
      unit = std::ldexp(1.0, static_cast<int>(10 * (power + 1)));
      text.remove_prefix(text.substr(1, 1) == "i" ? 2 : 1);
    }
    if (!text.starts_with('B')) return std::nullopt;
    text.remove_prefix(1);
    total += *value * unit;
  }
  return total < 9.2e18 ? std::optional(static_cast<uint64_t>(total)) : std::nullopt;
}

void append_canonical(const YamlNode& node, std::string& out) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      out += '~';
      return;
    case YamlNode::Kind::kScalar:
      out += fmt::format("{}:{}", node.text.size(), node.text);
      return;
    case YamlNode::Kind::kSequence:
      out += '[';
      for (const auto& item : node.items) append_canonical(*item, out);
      out += ']';
      return;
    case YamlNode::Kind::kMap:
      out += '{';
      for (const auto& entry : node.entries) {
        out += fmt::format("{}:{}", entry.key.size(), entry.key);
        append_canonical(*entry.value, out);
      }
      out += '}';
      return;
  }
}

}  // namespace

YamlValue::YamlValue(YamlDocument& document, YamlNodePtr node, std::string path, int line)
    : document_(&document), node_(std::move(node)), path_(std::move(path)), line_(line) {}

void YamlValue::problem(std::string_view message) const {
  document_->problems().add(
      line_, path_.empty() ? std::string(message) : fmt::format("{}: {}", path_, message));
}

void YamlValue::problem(std::string_view what, std::string_view value,
                        std::string_view advice) const {
  document_->problems().add(
      line_, path_.empty() ? std::string(what) : fmt::format("{}: {}", path_, what), value, advice);
}

void YamlValue::warn(std::string_view message) const {
  document_->warnings().add(
      line_, path_.empty() ? std::string(message) : fmt::format("{}: {}", path_, message));
}

std::string YamlValue::canonical_text() const {
  std::string out;
  append_canonical(*node_, out);
  return out;
}

std::optional<std::string> YamlValue::scalar(std::string_view wanted) const {
  if (node_->kind == YamlNode::Kind::kScalar) return node_->text;
  problem(fmt::format("{} is wanted, not {}", wanted, kind_name(node_->kind)));
  return std::nullopt;
}

std::optional<std::string> YamlValue::text() const {
  if (is_null()) return std::string();
  return scalar("text");
}

std::optional<bool> YamlValue::boolean() const {
  const auto word = scalar("true or false");
  if (!word) return std::nullopt;
  if (!node_->quoted && is_one_of(*word, kTrue)) return true;
  if (!node_->quoted && is_one_of(*word, kFalse)) return false;
  problem("no truth value", *word, "write true or false, without quotes");
  return std::nullopt;
}

std::optional<int64_t> YamlValue::integer() const {
  const auto word = scalar("a whole number");
  if (!word) return std::nullopt;
  const auto value = node_->quoted ? std::nullopt : integer_of(*word);
  if (!value) problem("no whole number", *word, "write digits, without quotes");
  return value;
}

std::optional<double> YamlValue::number() const {
  const auto word = scalar("a number");
  if (!word) return std::nullopt;
  const auto value = node_->quoted ? std::nullopt : decimal(*word);
  if (!value) problem("no number", *word, "write digits, without quotes");
  return value;
}

std::optional<int64_t> YamlValue::duration_ms() const {
  const auto word = scalar("a duration");
  if (!word) return std::nullopt;
  const auto value = parse_duration_ms(*word);
  if (value) return *value;
  problem("no duration", *word, "write it like 30s, 5m or 1h30m");
  return std::nullopt;
}

std::optional<uint64_t> YamlValue::size_bytes() const {
  const auto word = scalar("a size");
  if (!word) return std::nullopt;
  const auto value = size_of(*word);
  if (!value) problem("no size", *word, "write it like 512KB or 10MB");
  return value;
}

std::vector<YamlValue> YamlValue::items() const {
  if (is_null()) return {};
  if (node_->kind != YamlNode::Kind::kSequence) {
    problem(fmt::format("a list is wanted, not {}", kind_name(node_->kind)));
    return {};
  }
  std::vector<YamlValue> out;
  for (size_t i = 0; i < node_->items.size(); ++i) {
    const YamlNodePtr& item = node_->items[i];
    out.emplace_back(*document_, item, fmt::format("{}[{}]", path_, i),
                     item->line > 0 ? item->line : line_);
  }
  return out;
}

std::vector<std::string> YamlValue::strings() const {
  std::vector<std::string> out;
  for (const YamlValue& item : items()) {
    if (auto word = item.text()) out.push_back(std::move(*word));
  }
  return out;
}

YamlPairs YamlValue::string_map() const {
  YamlMap map(*this);
  YamlPairs out;
  for (const std::string& name : map.names()) {
    const auto value = map.take(name);
    if (auto word = value->text()) out.emplace_back(name, std::move(*word));
  }
  return out;
}

namespace {

// The line of the first text that is not UTF-8, 0 when all is. What is wrong may come of the file's
// bytes, and of two escapes that the parser below takes for Latin-1.
int line_not_utf8(const YamlNode& node) {
  if (!is_valid_utf8(node.text)) return node.line;
  for (const YamlNodePtr& item : node.items) {
    if (const int line = line_not_utf8(*item); line != 0) return line;
  }
  for (const YamlEntry& entry : node.entries) {
    if (!is_valid_utf8(entry.key)) return entry.line;
    if (const int line = line_not_utf8(*entry.value); line != 0) return line;
  }
  return 0;
}

// What is read here becomes labels and addresses, which are text.
YamlNodePtr read_utf8(std::string_view text, ConfigProblems& problems) {
  YamlNodePtr root = read_yaml(text, problems);
  const int line = line_not_utf8(*root);
  if (line == 0) return root;
  problems.add(
      line,
      "not UTF-8: save the file in that encoding, and write \\u00a0 for \\_ and \\u0085 for "
      "\\N");
  return std::make_shared<YamlNode>();
}

}  // namespace

YamlDocument::YamlDocument(std::string file_name, std::string_view text)
    : folder_(parent_folder(file_name)),
      problems_(file_name),
      warnings_(file_name),
      root_(read_utf8(text, problems_)) {}

YamlValue YamlDocument::root() { return YamlValue(*this, root_, "", root_->line); }

std::string YamlDocument::resolve(const std::string& path) const {
  if (path.empty() || path.starts_with('/') || folder_ == ".") return path;
  return folder_ + (folder_.ends_with('/') ? "" : "/") + path;
}

Status YamlDocument::status() const {
  if (problems_.empty()) return {};
  return fail(problems_.to_error());
}

YamlMap::YamlMap(YamlValue value) : value_(std::move(value)) {
  if (value_.is_null()) return;
  if (value_.node().kind != YamlNode::Kind::kMap) {
    value_.problem(fmt::format("a map is wanted, not {}", kind_name(value_.node().kind)));
    return;
  }
  merge(value_.node());
}

// The map's own keys come first, then those of what it merges in, in order.
void YamlMap::merge(const YamlNode& node) {
  const YamlEntry* merged = nullptr;
  for (const YamlEntry& one : node.entries) {
    if (one.key == "<<") {
      merged = &one;
    } else if (entry(one.key) == nullptr) {
      entries_.push_back(one);
    }
  }
  if (merged == nullptr) return;
  if (merged->value->kind == YamlNode::Kind::kMap) return merge(*merged->value);
  for (const YamlNodePtr& item : merged->value->items) {
    if (item->kind == YamlNode::Kind::kMap) merge(*item);
  }
}

const YamlEntry* YamlMap::entry(std::string_view name) const {
  const auto it = std::ranges::find(entries_, name, &YamlEntry::key);
  return it == entries_.end() ? nullptr : &*it;
}

std::string YamlMap::path_of(std::string_view name) const {
  return value_.path().empty() ? std::string(name) : fmt::format("{}.{}", value_.path(), name);
}

std::optional<YamlValue> YamlMap::take(std::string_view name) {
  known(name);
  const YamlEntry* found = entry(name);
  if (found == nullptr) return std::nullopt;
  return YamlValue(value_.document(), found->value, path_of(name), found->line);
}

std::optional<YamlValue> YamlMap::field(std::string_view name) {
  auto found = take(name);
  if (found && found->is_null()) return std::nullopt;
  return found;
}

void YamlMap::unused(std::string_view name, std::string_view why) {
  if (const auto found = field(name)) found->warn(why);
}

std::vector<std::string> YamlMap::names() const {
  std::vector<std::string> out;
  for (const YamlEntry& one : entries_) out.push_back(one.key);
  return out;
}

void YamlMap::read(std::string_view name, std::string& out) {
  const auto found = field(name);
  if (!found) return;
  if (auto value = found->text()) out = std::move(*value);
}

void YamlMap::read(std::string_view name, bool& out) {
  const auto found = field(name);
  if (!found) return;
  if (const auto value = found->boolean()) out = *value;
}

void YamlMap::read(std::string_view name, uint64_t& out) {
  const auto found = field(name);
  if (!found) return;
  const auto value = found->integer();
  if (!value) return;
  if (*value < 0) return found->problem("below zero", std::to_string(*value), "write 0 or more");
  out = static_cast<uint64_t>(*value);
}

void YamlMap::read(std::string_view name, int64_t& out) {
  const auto found = field(name);
  if (!found) return;
  if (const auto value = found->integer()) out = *value;
}

void YamlMap::read(std::string_view name, double& out) {
  const auto found = field(name);
  if (!found) return;
  if (const auto value = found->number()) out = *value;
}

void YamlMap::read(std::string_view name, std::vector<std::string>& out) {
  if (const auto found = field(name)) out = found->strings();
}

void YamlMap::read(std::string_view name, YamlPairs& out) {
  if (const auto found = field(name)) out = found->string_map();
}

void YamlMap::duration(std::string_view name, int64_t& out_ms) {
  const auto found = field(name);
  if (!found) return;
  if (const auto value = found->duration_ms()) out_ms = *value;
}

void YamlMap::size(std::string_view name, uint64_t& out_bytes) {
  const auto found = field(name);
  if (!found) return;
  if (const auto value = found->size_bytes()) out_bytes = *value;
}

void YamlMap::file(std::string_view name, std::string& out) {
  read(name, out);
  out = value_.document().resolve(out);
}

void YamlMap::choice(std::string_view name, std::string& out,
                     std::span<const std::string_view> choices) {
  const auto found = field(name);
  if (!found) return;
  auto value = found->text();
  if (!value) return;
  if (is_one_of(*value, choices)) {
    out = std::move(*value);
  } else {
    found->problem("unknown value", *value, fmt::format("one of {}", fmt::join(choices, ", ")));
  }
}

void YamlMap::finish() {
  const std::vector<std::string_view> names(known_.begin(), known_.end());
  for (const YamlEntry& one : entries_) {
    if (known_.contains(one.key)) continue;
    const std::string near = nearest_name(one.key, names);
    const YamlValue at(value_.document(), one.value, path_of(one.key), one.line);
    at.problem(near.empty() ? "unknown key: remove it or check where it stands"
                            : fmt::format("unknown key: did you mean {}?", near));
  }
}

}  // namespace binnacle
