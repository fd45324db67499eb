// Holds the tables of docs/engines.md to the tables that the adapters work by.
#include <cstdlib>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/file_system.h"
#include "collect/engines/alias_table.h"
#include "collect/engines/poll_table.h"

namespace binnacle::collect::engines {
namespace {

constexpr std::string_view kBegin = "<!-- begin: tables -->\n";
constexpr std::string_view kEnd = "<!-- end: tables -->\n";

std::string_view type_name(model::MetricType type) {
  switch (type) {
    case model::MetricType::kCounter:
      return "counter";
    case model::MetricType::kHistogram:
      return "histogram";
    default:
      return "gauge";
  }
}

void write_schema(std::string& out) {
  out += "### Canonical series\n\n| series | type | meaning |\n|---|---|---|\n";
  for (const CanonicalSeries& one : canonical_series()) {
    out += fmt::format("| `{}` | {} | {} |\n", one.name, type_name(one.type), one.help);
  }
}

enum class Given { kNo, kMay, kDue };

Given given(Engine engine, Series series) {
  Given found = Given::kNo;
  const auto note = [&](Need need) {
    found = std::max(found,
                     need == Need::kMay || need == Need::kSpeculative ? Given::kMay : Given::kDue);
  };
  for (const AliasTable& table : alias_tables()) {
    if (table.engine != engine) continue;
    for (const Alias& row : table.rows) {
      if (row.series == series) note(row.need);
    }
  }
  for (const PollField& field : poll_fields()) {
    if (field.engine == engine && field.series == series) note(field.need);
  }
  const PollEngine* polled = poll_engine(engine);
  if (polled && polled->one_at_a_time && series == Series::kRequestsRunning) note(Need::kAlways);
  const bool names_model = !traits(engine).model_label.empty();
  if (names_model && series == Series::kModelInfo) note(Need::kAlways);
  return found;
}

void write_matrix(std::string& out) {
  out +=
      "\n### Which engine gives what\n\n`x`: due from every engine of that kind, and missed when "
      "it is not there. `o`: depends on its version, its configuration or its load. A counter "
      "that an engine shows first when it counts first is due from the first request on.\n\n";
  std::string rule = "|---|";
  out += "| |";
  for (size_t i = 0; i < kEngines; ++i) {
    out += fmt::format(" {} |", engine_name(static_cast<Engine>(i)));
    rule += "---|";
  }
  out += "\n" + rule + "\n";
  for (size_t s = 0; s < kSeries; ++s) {
    const auto series = static_cast<Series>(s);
    out += fmt::format("| `{}` |", canonical(series).name);
    for (size_t i = 0; i < kEngines; ++i) {
      const Given is = given(static_cast<Engine>(i), series);
      out += is == Given::kDue ? " x |" : is == Given::kMay ? " o |" : " |";
    }
    out += "\n";
  }
}

bool has_colon(const AliasTable& table) {
  return table.engine == Engine::kVllm || table.engine == Engine::kSglang ||
         table.engine == Engine::kLlamaCpp || table.engine == Engine::kLmdeploy;
}

std::string exposed(const AliasTable& table, const Alias& row) {
  std::string name(table.prefix);
  if (has_colon(table)) name.back() = ':';
  return name.append(row.name);
}

std::string notes(const Alias& row) {
  std::string text;
  const auto add = [&](const std::string& note) { text += (text.empty() ? "" : "; ") + note; };
  if (!row.only_label.empty()) add(fmt::format("`{}=\"{}\"`", row.only_label, row.only_value));
  if (row.part == Part::kHistogramSum) add("the histogram's `_sum`");
  if (row.part == Part::kAsSum) add("as `_sum`, no buckets");
  if (row.part == Part::kAsCount) add("as `_count`, no buckets");
  if (row.part == Part::kDenominator) add("divided by it");
  if (row.part == Part::kFactor) add("times it");
  if (row.part == Part::kWith) add("added");
  if (row.part == Part::kLabels) add(fmt::format("labels `{}` × `{}`", row.factor_a, row.factor_b));
  if (row.unit == Unit::kMilliseconds) add("ms");
  if (row.unit == Unit::kMicroseconds) add("µs");
  if (row.unit == Unit::kGibibytes) add("GiB");
  if (!row.from.empty()) add(fmt::format("`{}` from `{}`", row.to, row.from));
  if (!row.fixed.empty()) add(fmt::format("`{}=\"{}\"`", row.to, row.fixed));
  if (row.since != 0) add("since " + version_text(row.since));
  if (row.until != 0) add("gone in " + version_text(row.until));
  if (row.choice != 0) add("where nothing above is there");
  return text;
}

void write_names(std::string& out) {
  out += "\n### Names\n\nWithout `_total`, `_bucket`, `_sum`, `_count`; `_` for `:` is the same.\n";
  for (const AliasTable& table : alias_tables()) {
    out += fmt::format("\n**{}** (`{}…`)\n\n| series | name | how |\n|---|---|---|\n",
                       engine_name(table.engine), exposed(table, Alias{.name = ""}));
    for (size_t s = 0; s < kSeries; ++s) {
      for (const Alias& row : table.rows) {
        if (row.series != static_cast<Series>(s)) continue;
        out += fmt::format("| `{}` | `{}` | {} |\n", canonical(row.series).name,
                           exposed(table, row), notes(row));
      }
    }
  }
}

void write_polls(std::string& out) {
  out +=
      "\n### Engines that are asked\n\n| engine | `binnacle_engine_up` is 1 when this answers | "
      "what a good answer does not show |\n|---|---|---|\n";
  for (const PollEngine& engine : poll_engines()) {
    out += fmt::format("| {} | `{}` | {} |\n", engine_name(engine.engine), engine.health_path,
                       engine.health_blind);
  }
  out += "\n| engine | asked | member | series |\n|---|---|---|---|\n";
  for (const PollField& field : poll_fields()) {
    std::string member = fmt::format("`{}{}`", field.pointer, field.value);
    if (!field.minus.empty()) member += fmt::format(" − `{}`", field.minus);
    if (!field.only.empty()) member += fmt::format(", `{}` = {}", field.only, field.only_value);
    if (field.take == Take::kCount) member += ", counted";
    out += fmt::format("| {} | `{}` | {} | `{}` |\n", engine_name(field.engine), field.path, member,
                       canonical(field.series).name);
  }
}

TEST(EngineDocsTest, TheTablesOfTheDocumentAreThoseOfTheAdapters) {
  const std::string path = BINNACLE_SOURCE_DIR "/docs/engines.md";
  std::string text = real_file_system().read_file(path).value();
  const size_t begin = text.find(kBegin);
  const size_t end = text.find(kEnd);
  ASSERT_NE(begin, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  std::string tables = "\n";
  write_schema(tables);
  write_matrix(tables);
  write_names(tables);
  write_polls(tables);
  tables += "\n";
  const size_t from = begin + kBegin.size();
  if (std::getenv("BINNACLE_WRITE_DOCS") != nullptr) {
    text.replace(from, end - from, tables);
    ASSERT_TRUE(real_file_system().write_file_atomically(path, text));
    return;
  }
  EXPECT_TRUE(text.substr(from, end - from) == tables)
      << "docs/engines.md is not what the tables of the engines say. Write it anew:\n"
         "  BINNACLE_WRITE_DOCS=1 build/dev/bin/collect_engines_test "
         "--gtest_filter='EngineDocsTest.*'";
}

}  // namespace
}  // namespace binnacle::collect::engines
