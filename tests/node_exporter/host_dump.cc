// Prints what the host collector tells about this machine, once, as text exposition (0.0.4): for
// the comparison with node_exporter, and to look at by hand.
// usage: host_dump [FOLDER]   FOLDER: of *.prom files, for the textfile part.
#include <cstdio>
#include <map>
#include <string>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/float_text.h"
#include "base/instruments.h"
#include "collect/host/host_collector.h"
#include "model/matcher.h"
#include "store/metrics/linear_store.h"

namespace binnacle {
namespace {

using collect::host::HostCollector;
using collect::host::HostOptions;
using collect::host::MetricInfo;

struct Family {
  MetricInfo info;
  std::string samples;
};

std::string_view type_name(model::MetricType type) {
  switch (type) {
    case model::MetricType::kCounter:
      return "counter";
    case model::MetricType::kGauge:
      return "gauge";
    default:
      return "untyped";
  }
}

void append_quoted(std::string& out, std::string_view value) {
  out += '"';
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_sample(std::string& out, model::LabelsView labels, double value) {
  out += labels.metric_name();
  char before = '{';
  for (const model::Label& label : labels) {
    if (label.name == model::kMetricName) continue;
    out += before;
    before = ',';
    out += label.name;
    out += '=';
    append_quoted(out, label.value);
  }
  if (before == ',') out += '}';
  out += ' ';
  append_float_text(out, value);
  out += '\n';
}

Status read_samples(store::metrics::LinearStore& store, int64_t now_ms,
                    std::map<std::string, Family>& families) {
  TRY_ASSIGN(const auto querier, store.querier(now_ms, now_ms));
  TRY_ASSIGN(auto any,
             model::Matcher::create(model::MatchOp::kRegex, std::string(model::kMetricName), ".+"));
  TRY_ASSIGN(const auto series, querier->select({std::move(any)}, {}));
  for (model::SeriesColumns columns; series->next(columns);) {
    for (const double value : columns.values) {
      append_sample(families[std::string(columns.labels.metric_name())].samples, columns.labels,
                    value);
    }
  }
  return series->status();
}

Status dump(const std::string& textfile_folder) {
  const SystemClock clock;
  Registry registry;
  store::metrics::LinearStore store(clock);
  HostOptions options;
  options.textfile.folder = textfile_folder;
  TRY_ASSIGN(const auto collector,
             HostCollector::create(options, real_file_system(), clock, store, registry, {}));
  const int64_t now_ms = clock.wall_ms();
  TRY(collector->collect_once(now_ms));
  std::map<std::string, Family> families;
  for (MetricInfo& info : collector->metadata()) families[info.name].info = info;
  TRY(read_samples(store, now_ms, families));
  for (const auto& [name, family] : families) {
    std::printf("# HELP %s %s\n# TYPE %s %s\n%s", name.c_str(), family.info.help.c_str(),
                name.c_str(), std::string(type_name(family.info.type)).c_str(),
                family.samples.c_str());
  }
  return {};
}

}  // namespace
}  // namespace binnacle

int main(int argc, char** argv) {
  if (const auto done = binnacle::dump(argc > 1 ? argv[1] : ""); !done) {
    std::fprintf(stderr, "host_dump: %s\n", done.error().message.c_str());
    return 1;
  }
  return 0;
}
