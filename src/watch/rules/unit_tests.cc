#include "watch/rules/unit_tests.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "base/time_text.h"
#include "base/yaml_reader.h"
#include "model/alert.h"

namespace binnacle::watch::rules {
namespace {

using query::promql::parse_script_series;
using query::promql::ScriptSeries;

constexpr size_t kMaxValues = 1'000'000;  // of one series: `1x999999999` is a line of twelve bytes

// Reads one file. Lives for one reading.
class Reader {
 public:
  explicit Reader(UnitTestFile& file) : file_(file) {}

  void read(const YamlValue& root) {
    YamlMap map(root);
    std::vector<std::string> rule_files;
    map.read("rule_files", rule_files);
    for (const std::string& path : rule_files)
      file_.rule_files.push_back(root.document().resolve(path));
    read_interval(map);
    map.read("group_eval_order", file_.group_eval_order);
    check_order(map);
    map.read("fuzzy_compare", file_.fuzzy_compare);
    if (const auto list = map.field("tests")) {
      for (const YamlValue& entry : list->items()) file_.tests.push_back(read_test(entry));
    }
    map.finish();
  }

 private:
  void read_interval(YamlMap& map) {
    const int64_t usual = file_.evaluation_interval_ms;
    map.duration("evaluation_interval", file_.evaluation_interval_ms);
    if (file_.evaluation_interval_ms == 0) file_.evaluation_interval_ms = usual;
  }

  void check_order(YamlMap& map) const {
    std::set<std::string> seen;
    for (const std::string& name : file_.group_eval_order) {
      if (!seen.insert(name).second)
        map.value().problem("group name repeated in group_eval_order", name, "name it once");
    }
  }

  UnitTest read_test(const YamlValue& value) {
    YamlMap map(value);
    UnitTest test;
    test.line = value.node().line;
    test.name = fmt::format("unnamed#{}", file_.tests.size());
    map.read("name", test.name);
    map.duration("interval", test.interval_ms);
    if (test.interval_ms == 0) test.interval_ms = file_.evaluation_interval_ms;
    read_series(map, test);
    if (const auto list = map.field("alert_rule_test")) {
      for (const YamlValue& entry : list->items()) test.alerts.push_back(read_alert_test(entry));
    }
    if (const auto list = map.field("promql_expr_test")) {
      for (const YamlValue& entry : list->items()) test.exprs.push_back(read_expr_test(entry));
    }
    YamlPairs labels;
    map.read("external_labels", labels);
    model::LabelsBuilder builder;
    for (const auto& [name, text] : labels) builder.set(name, text);
    test.external_labels = builder.build();
    map.read("external_url", test.external_url);
    if (const auto start = map.field("start_timestamp")) test.start_ms = read_time(*start);
    map.finish();
    return test;
  }

  // As Prometheus' loader: a label set that comes twice has the values that came last.
  static void read_series(YamlMap& map, UnitTest& test) {
    const auto list = map.field("input_series");
    if (!list) return;
    std::map<std::string, size_t, std::less<>> seen;  // by packed labels
    for (const YamlValue& entry : list->items()) {
      YamlMap fields(entry);
      std::string series;
      std::string values;
      fields.read("series", series);
      fields.read("values", values);
      fields.finish();
      std::ranges::replace(values, '\n', ' ');
      Result<ScriptSeries> read = parse_script_series(series + " " + values, kMaxValues);
      if (!read) {
        entry.problem(fmt::format("series {}: {}", series, read.error().message));
        continue;
      }
      if (read->has_histogram()) {
        entry.problem(fmt::format("series {}: native histograms are not supported", series));
        continue;
      }
      const auto [it, fresh] = seen.emplace(read->labels.packed(), test.series.size());
      if (fresh) {
        test.series.push_back(std::move(*read));
      } else {
        test.series[it->second] = std::move(*read);
      }
    }
  }

  static int64_t read_time(const YamlValue& value) {
    const std::string text = value.text().value_or("");
    const Result<int64_t> at = parse_time_ms(text);
    if (!at) value.problem("not a time", text, "write 2026-01-02T03:04:05Z or Unix seconds");
    return at.value_or(0);
  }

  static AlertExpectation read_alert_test(const YamlValue& value) {
    YamlMap map(value);
    AlertExpectation test;
    test.line = value.node().line;
    map.duration("eval_time", test.eval_ms);
    map.read("alertname", test.alert);
    if (test.alert.empty()) value.problem("a test of alerts needs an alertname");
    if (const auto list = map.field("exp_alerts")) {
      for (const YamlValue& entry : list->items())
        test.alerts.push_back(read_alert(entry, test.alert));
    }
    std::ranges::sort(test.alerts);
    map.finish();
    return test;
  }

  static AlertText read_alert(const YamlValue& value, const std::string& alert_name) {
    YamlMap map(value);
    AlertText alert;
    map.read("exp_labels", alert.labels);
    map.read("exp_annotations", alert.annotations);
    map.finish();
    std::erase_if(alert.labels, [](const auto& pair) { return pair.first == model::kAlertName; });
    alert.labels.emplace_back(model::kAlertName, alert_name);
    std::ranges::sort(alert.labels);
    std::ranges::sort(alert.annotations);
    return alert;
  }

  static ExprExpectation read_expr_test(const YamlValue& value) {
    YamlMap map(value);
    ExprExpectation test;
    test.line = value.node().line;
    map.read("expr", test.expr);
    map.duration("eval_time", test.eval_ms);
    if (const auto list = map.field("exp_samples")) {
      for (const YamlValue& entry : list->items()) {
        if (auto sample = read_sample(entry)) test.samples.push_back(std::move(*sample));
      }
    }
    map.finish();
    return test;
  }

  static std::optional<SampleExpectation> read_sample(const YamlValue& value) {
    YamlMap map(value);
    std::string labels;
    std::string histogram;
    SampleExpectation sample;
    map.read("labels", labels);
    map.read("value", sample.value);
    map.read("histogram", histogram);
    map.finish();
    if (!histogram.empty()) {
      value.problem("native histograms are not supported");
      return {};
    }
    Result<ScriptSeries> read = parse_script_series(labels, 0);
    if (!read) {
      value.problem(fmt::format("labels {}: {}", labels, read.error().message));
      return {};
    }
    sample.labels = std::move(read->labels);
    return sample;
  }

  UnitTestFile& file_;
};

}  // namespace

Result<UnitTestFile> read_unit_tests(std::string_view yaml, const std::string& file) {
  YamlDocument document(file, yaml);
  UnitTestFile read;
  read.file = file;
  Reader(read).read(document.root());
  TRY(document.status());
  return read;
}

}  // namespace binnacle::watch::rules
