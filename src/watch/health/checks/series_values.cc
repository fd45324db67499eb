#include "watch/health/checks/series_values.h"

#include <atomic>
#include <cmath>

#include "net/run_on_pool.h"
#include "query/promql/engine.h"
#include "query/promql/parser.h"

namespace binnacle::watch::health {
namespace {

namespace asio = boost::asio;
namespace promql = query::promql;
using std::chrono::milliseconds;

// An evaluation looks at its own limit now and then; this much later nobody waits for it.
constexpr milliseconds kSlack{500};

struct Asked {
  std::atomic<bool> cancelled = false;
  Result<promql::QueryAnswer> answer = fail(Code::kInternal, "not asked");
};

promql::QueryLimits limits_of(milliseconds timeout) {
  promql::QueryLimits limits;
  limits.max_series = kMaxCheckSeries;
  limits.max_samples = kMaxCheckSamples;
  limits.max_bytes = kMaxCheckBytes;
  limits.timeout_ms = timeout.count();
  return limits;
}

std::vector<SeriesValue> values_of(const promql::QueryAnswer& answer) {
  std::vector<SeriesValue> out;
  if (answer.type == promql::ValueType::kScalar) out.push_back({"", answer.scalar});
  for (const auto& row : answer.rows) {
    const auto labels = row.labels.view();
    out.push_back({labels.empty() ? "" : labels.to_string(), row.values.front()});
  }
  std::erase_if(out, [](const SeriesValue& one) { return std::isnan(one.value); });
  return out;
}

}  // namespace

Result<SeriesQuestion> SeriesQuestion::parse(std::string expression) {
  TRY_ASSIGN(auto expr, promql::parse(expression));
  const auto type = promql::type_of(*expr);
  if (type != promql::ValueType::kVector && type != promql::ValueType::kScalar) {
    return fail(Code::kInvalidArgument,
                "the expression gives " + std::string(promql::documented_type_name(type)) +
                    ", which cannot be compared: it must give one value for each series");
  }
  SeriesQuestion out;
  out.parsed_ = std::make_shared<const Parsed>(Parsed{std::move(expression), std::move(expr)});
  return out;
}

asio::awaitable<Result<std::vector<SeriesValue>>> SeriesQuestion::ask(const CheckTools& tools,
                                                                      milliseconds timeout) const {
  const auto asked = std::make_shared<Asked>();
  const int64_t now_ms = tools.clock.wall_ms();
  const auto work = [asked, parsed = parsed_, timeout, now_ms, store = tools.store,
                     clock = &tools.clock] {
    if (asked->cancelled) return;
    const promql::Query query{.text = parsed->text, .steps = {now_ms, now_ms, 0}, .instant = true};
    asked->answer = promql::evaluate(*store, *parsed->expr, query, limits_of(timeout), *clock,
                                     &asked->cancelled);
  };
  const auto done = co_await net::run_on_pool(tools.pool, timeout + kSlack, work);
  if (!done) {
    asked->cancelled = true;
    co_return fail(done.error());
  }
  if (!asked->answer) co_return fail(asked->answer.error());
  co_return values_of(*asked->answer);
}

}  // namespace binnacle::watch::health
