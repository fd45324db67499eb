// `disk`, `memory`, `gpu`, ...: several expressions of preset_table.h, each with its thresholds,
// over the series of one node or of all.
#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "watch/health/checks/kinds.h"
#include "watch/health/checks/preset_table.h"
#include "watch/health/checks/series_values.h"
#include "watch/health/checks/series_verdict.h"

namespace binnacle::watch::health {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

struct Part {
  const PresetPart* preset = nullptr;
  SeriesQuestion question;
  Thresholds thresholds;
};

std::string in_quotes(std::string_view value) {
  std::string out = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out + "\"";
}

// `$on` with what it stands for; a comma before nothing goes.
std::string filled(std::string_view expression, std::string_view name, const std::string& with) {
  std::string out;
  while (true) {
    const size_t at = expression.find(name);
    if (at == std::string_view::npos) return out += expression;
    out += expression.substr(0, at);
    if (with.empty() && out.ends_with(',')) out.pop_back();
    out += with;
    expression.remove_prefix(at + name.size());
  }
}

class PresetCheck final : public Check {
 public:
  PresetCheck(const Preset& preset, YamlMap& map, const KindInput& input) : tools_(input.tools) {
    std::string node = input.spec.node;
    map.read("node", node);
    std::string subject;
    if (!preset.subject.empty()) map.read(preset.subject, subject);
    std::string select;
    map.read("select", select);
    const std::string on_node = node.empty() ? "" : "node=" + in_quotes(node);
    std::string on = on_node;
    const auto append = [&on](const std::string& matcher) {
      on += (on.empty() ? "" : ",") + matcher;
    };
    if (!subject.empty()) append(std::string(preset.subject_label) + "=" + in_quotes(subject));
    if (!select.empty()) append(select);
    for (const PresetPart& part : preset.parts) {
      if (!part.of_subject || !subject.empty()) {
        read_part(map, part, filled(filled(part.expression, "$on", on), "$node", on_node));
      } else if (map.field(part.name)) {
        map.value().problem(fmt::format("{} needs {}: write of which", part.name, preset.subject));
      }
    }
    map.finish();
  }

  asio::awaitable<Reading> run(milliseconds timeout) override {
    const int64_t began_ms = tools_.clock.monotonic_ms();
    Verdict verdict;
    std::optional<std::pair<double, std::string>> value;  // of the first part that has one
    for (const Part& part : parts_) {
      const milliseconds left = timeout - milliseconds(tools_.clock.monotonic_ms() - began_ms);
      const auto values = co_await part.question.ask(tools_, std::max(left, milliseconds(1)));
      if (!values) co_return Reading{.message = one_line(values.error().message, 400)};
      const SeriesValue* worst = worst_series(*values, part.thresholds);
      if (worst == nullptr) continue;
      judge_series(*values, part.thresholds, part.preset->name, part.preset->unit, verdict);
      if (!value) value.emplace(worst->value, part.preset->unit);
    }
    if (!value) co_return Reading{.message = "there are no such series: is it collected there?"};
    co_return verdict.reading(value->first, value->second);
  }

 private:
  void read_part(YamlMap& map, const PresetPart& part, const std::string& expression) {
    Part made{.preset = &part, .question = {}, .thresholds = {}};
    const auto bound = [](std::string_view text) {
      return text.empty() ? std::nullopt : parse_comparison(text, std::nullopt);
    };
    made.thresholds = {bound(part.warn), bound(part.critical)};
    const auto& some = made.thresholds.critical ? made.thresholds.critical : made.thresholds.warn;
    const auto field = map.take(part.name);
    if (field && field->node().kind == YamlNode::Kind::kScalar) {
      if (field->boolean() == false) return;
      return field->problem("write false to leave it out, or a map of warn and critical");
    }
    if (field) read_thresholds(map, part.name, made.thresholds, some->how);
    auto parsed = SeriesQuestion::parse(expression);
    if (!parsed) {
      return map.value().problem(
          fmt::format("select is no list of matchers: {}", parsed.error().message));
    }
    made.question = std::move(*parsed);
    parts_.push_back(std::move(made));
  }

  // Fixed after construction
  const CheckTools tools_;
  std::vector<Part> parts_;
};

}  // namespace

std::unique_ptr<Check> read_preset_check(const KindInput& input) {
  const auto all = presets();
  const auto preset = std::ranges::find(all, input.spec.kind, &Preset::kind);
  CHECK(preset != all.end());
  YamlMap map(input.settings);
  return std::make_unique<PresetCheck>(*preset, map, input);
}

}  // namespace binnacle::watch::health
