#include <memory>

#include "app/query_source.h"
#include "base/clock.h"
#include "base/data_folder.h"
#include "base/instruments.h"
#include "base/random.h"
#include "query/promql/engine.h"
#include "store/metrics/metric_store.h"

namespace binnacle::app {
namespace {

using query::promql::QueryAnswer;
using query::promql::ValueType;
using store::metrics::MetricStore;

AnsweredQuery shown(QueryAnswer&& answer, const AskedQuery& query) {
  AnsweredQuery out;
  out.type = query::promql::value_type_name(answer.type);
  out.text = std::move(answer.text);
  out.warnings = std::move(answer.warnings);
  out.infos = std::move(answer.infos);
  if (answer.type == ValueType::kScalar)
    out.series.push_back({{}, {query.start_ms}, {answer.scalar}});
  for (const query::promql::OwnedRow& row : answer.rows) {
    AnsweredSeries series{row.labels, {}, {}};
    for (size_t i = 0; i < row.values.size(); ++i) {
      if (query::promql::is_absent(row.values[i])) continue;
      series.times_ms.push_back(answer.steps.at(i));
      series.values.push_back(row.values[i]);
    }
    out.series.push_back(std::move(series));
  }
  for (query::promql::SampleSeries& samples : answer.samples)
    out.series.push_back(
        {std::move(samples.labels), std::move(samples.times_ms), std::move(samples.values)});
  return out;
}

Result<std::unique_ptr<MetricStore>> open_store(FileSystem& files, const std::string& data_folder,
                                                const Clock& clock, Random& random,
                                                Registry& registry) {
  const std::string folder =
      (data_folder.empty() ? default_data_folder() : data_folder) + "/metrics";
  if (!files.exists(folder))
    return fail(Code::kUnavailable, "metric store " + folder + ": there is none");
  auto store = MetricStore::open(folder, {}, files, clock, random, registry);
  if (store) return store;
  return fail(Code::kUnavailable,
              store.error().message + "; while a server runs on it, ask the server (--server)");
}

}  // namespace

Result<AnsweredQuery> ask_folder(FileSystem& files, const std::string& data_folder,
                                 const AskedQuery& query) {
  const SystemClock clock;
  SystemRandom random;
  Registry registry;
  TRY_ASSIGN(const auto store, open_store(files, data_folder, clock, random, registry));
  TRY_ASSIGN(QueryAnswer answer,
             query::promql::evaluate(
                 *store, {query.expr, {query.start_ms, query.end_ms, query.step_ms}, query.instant},
                 {}, clock));
  return shown(std::move(answer), query);
}

}  // namespace binnacle::app
