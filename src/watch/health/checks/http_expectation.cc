#include "watch/health/checks/http_expectation.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <charconv>

namespace binnacle::watch::health {
namespace {

constexpr size_t kQuotedBytes = 80;
constexpr int64_t kMaxRegexBytes = 1 << 20;  // of RE2's own memory

std::optional<int> status_of(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 100 || value > 599)
    return std::nullopt;
  return value;
}

// 200, "2xx", "200-204".
std::optional<StatusRange> range_of(std::string_view text) {
  if (text.size() == 3 && text.substr(1) == "xx" && text[0] >= '1' && text[0] <= '5') {
    const int from = (text[0] - '0') * 100;
    return StatusRange{from, from + 99};
  }
  const size_t dash = std::min(text.find('-'), text.size());
  const auto from = status_of(text.substr(0, dash));
  const auto to = dash < text.size() ? status_of(text.substr(dash + 1)) : from;
  if (!from || !to || *from > *to) return std::nullopt;
  return StatusRange{*from, *to};
}

// One value or a list of them.
std::vector<YamlValue> one_or_more(const YamlValue& value) {
  if (value.node().kind == YamlNode::Kind::kSequence) return value.items();
  return {value};
}

std::vector<std::string> texts(YamlMap& map, std::string_view name) {
  std::vector<std::string> out;
  const auto field = map.field(name);
  if (!field) return out;
  for (const YamlValue& one : one_or_more(*field)) {
    auto text = one.text();
    if (text && text->empty()) one.problem("empty text is everywhere: write what to look for");
    if (text) out.push_back(std::move(*text));
  }
  return out;
}

bool equal(const JsonCondition& condition, const JsonFound& found) {
  using Kind = JsonFound::Kind;
  if (condition.equals_text) return found.kind == Kind::kText && found.text == *condition.equals;
  if (found.kind != Kind::kNumber) return found.text == *condition.equals;
  const auto number = parse_comparison(*condition.equals, Compare::kEqual);
  return number && number->holds(found.number);
}

std::string wanted(const JsonCondition& condition) {
  if (condition.equals) return fmt::format("wanted {}", *condition.equals);
  if (condition.min && condition.max)
    return fmt::format("wanted {:g} to {:g}", *condition.min, *condition.max);
  return condition.min ? fmt::format("wanted at least {:g}", *condition.min)
                       : fmt::format("wanted at most {:g}", *condition.max);
}

void judge(const JsonCondition& condition, const JsonBody& body, Verdict& verdict) {
  const auto found = body.find(condition.path);
  if (!found) {
    return verdict.add(condition.otherwise,
                       fmt::format("nothing stands at {}", condition.path.text()));
  }
  bool fine = !condition.equals || equal(condition, *found);
  if (condition.min || condition.max) {
    const bool number =
        found->kind != JsonFound::Kind::kText && found->kind != JsonFound::Kind::kNull;
    fine = fine && number && (!condition.min || found->number >= *condition.min) &&
           (!condition.max || found->number <= *condition.max);
  }
  if (fine) return;
  const bool counted =
      found->kind == JsonFound::Kind::kList || found->kind == JsonFound::Kind::kObject;
  const std::string is = counted ? fmt::format("{} of {}", found->text, found->number)
                                 : one_line(found->text, kQuotedBytes);
  verdict.add(condition.otherwise,
              fmt::format("{} is {}, {}", condition.path.text(), is, wanted(condition)));
}

std::optional<double> number_in(YamlMap& map, std::string_view name) {
  const auto field = map.field(name);
  return field ? field->number() : std::nullopt;
}

}  // namespace

HttpExpectation::HttpExpectation(YamlMap& map) {
  read_status(map);
  read_text(map);
  read_json(map);
}
HttpExpectation::~HttpExpectation() = default;

void HttpExpectation::read_status(YamlMap& map) {
  const auto field = map.field("status");
  if (!field) return;
  status_.clear();
  for (const YamlValue& one : one_or_more(*field)) {
    const auto text = one.text();
    if (!text) continue;
    if (const auto range = range_of(*text)) {
      status_.push_back(*range);
    } else {
      one.problem("no HTTP status", *text, "write 200, 2xx or 200-204");
    }
  }
  if (status_.empty()) field->problem("no status is expected: write at least one");
}

void HttpExpectation::read_text(YamlMap& map) {
  contains_ = texts(map, "contains");
  lacks_ = texts(map, "not_contains");
  const auto field = map.field("matches");
  if (!field) return;
  for (const YamlValue& one : one_or_more(*field)) {
    const auto text = one.text();
    if (!text) continue;
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(kMaxRegexBytes);
    auto regex = std::make_unique<RE2>(*text, options);
    if (!regex->ok()) one.problem("no regular expression", *text, regex->error());
    matches_.push_back(std::move(regex));
  }
}

void HttpExpectation::read_json(YamlMap& map) {
  const auto field = map.field("json");
  if (!field) return;
  for (const YamlValue& item : field->items()) {
    YamlMap one(item);
    JsonCondition condition;
    std::string path;
    one.read("path", path);
    if (auto parsed = JsonPath::parse(path)) {
      condition.path = std::move(*parsed);
    } else {
      item.problem(parsed.error().message);
    }
    if (const auto equals = one.take("equals")) {
      condition.equals = equals->is_null() ? "null" : equals->text();
      condition.equals_text = equals->node().quoted;
    }
    condition.min = number_in(one, "min");
    condition.max = number_in(one, "max");
    std::string otherwise = "critical";
    constexpr std::string_view kWords[] = {"critical", "degraded"};
    one.choice("otherwise", otherwise, kWords);
    condition.otherwise = *health_of_name(otherwise);
    one.finish();
    json_.push_back(std::move(condition));
  }
}

bool HttpExpectation::wants_status(int status) const {
  return std::ranges::any_of(status_, [status](const StatusRange& range) {
    return range.from <= status && status <= range.to;
  });
}

void HttpExpectation::judge_status(int status, std::string_view reason, Verdict& verdict) const {
  if (wants_status(status)) return;
  std::string all;
  for (const StatusRange& range : status_) {
    if (!all.empty()) all += ", ";
    all += range.from == range.to ? fmt::format("{}", range.from)
                                  : fmt::format("{}-{}", range.from, range.to);
  }
  verdict.add(Health::kCritical, fmt::format("status {} {}, wanted {}", status, reason, all));
}

void HttpExpectation::judge_body(std::string_view body, bool cut, Verdict& verdict) const {
  const std::string where =
      cut ? fmt::format(" in the first {}", bytes_text(double(body.size()))) : "";
  for (const std::string& text : contains_) {
    if (body.find(text) != std::string_view::npos) continue;
    verdict.add(Health::kCritical,
                fmt::format("the body lacks \"{}\"{}", one_line(text, kQuotedBytes), where));
  }
  for (const std::string& text : lacks_) {
    if (body.find(text) == std::string_view::npos) continue;
    verdict.add(Health::kCritical,
                fmt::format("the body has \"{}\"", one_line(text, kQuotedBytes)));
  }
  for (const auto& regex : matches_) {
    if (RE2::PartialMatch(re2::StringPiece(body.data(), body.size()), *regex)) continue;
    verdict.add(Health::kCritical, fmt::format("the body does not match {}{}",
                                               one_line(regex->pattern(), kQuotedBytes), where));
  }
  if (!json_.empty()) judge_json(body, cut, verdict);
}

void HttpExpectation::judge_json(std::string_view body, bool cut, Verdict& verdict) const {
  if (cut) {
    return verdict.add(Health::kCritical,
                       fmt::format("the body is larger than max_body ({}): not read as JSON",
                                   bytes_text(double(body.size()))));
  }
  const auto parsed = JsonBody::parse(body);
  if (!parsed) return verdict.add(Health::kCritical, parsed.error().message);
  for (const JsonCondition& condition : json_) judge(condition, *parsed, verdict);
}

}  // namespace binnacle::watch::health
