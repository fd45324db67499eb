#include "collect/ship/remote_read_client.h"

#include <snappy.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>

#include <fmt/format.h>

#include "base/mutex.h"
#include "net/http_peer.h"

namespace binnacle::collect::ship {
namespace {

namespace asio = boost::asio;

constexpr size_t kMostWords = 300;
constexpr int64_t kSlackMs = 2000;  // beyond the exchange's own deadline

}  // namespace

struct RemoteReadClient::Impl {
  Impl(RemoteReadOptions opts, RemoteReadDeps d)
      : options(std::move(opts)),
        deps(d),
        peer(options.http, deps.files, deps.clock),
        seconds(deps.registry.histogram("binnacle_remote_read_duration_seconds",
                                        "Time of remote reads, failed ones too.", latency_bounds(),
                                        {{"destination", options.name}})),
        failures(deps.registry.counter("binnacle_remote_read_failures_total",
                                       "Remote reads that failed.",
                                       {{"destination", options.name}})),
        samples(deps.registry.counter("binnacle_remote_read_samples_total",
                                      "Samples that remote reads brought.",
                                      {{"destination", options.name}})) {}

  net::ClientRequest request(std::string body) const;
  Result<net::Response> exchange(net::ClientRequest out);
  Result<std::vector<RemoteSeries>> ask(const model::Matchers& matchers, int64_t min_ms,
                                        int64_t max_ms);
  void cut(std::vector<RemoteSeries>& all, const model::Matchers& asked) const;

  const RemoteReadOptions options;
  const RemoteReadDeps deps;
  net::HttpPeer peer;
  Histogram& seconds;
  Counter& failures;
  Counter& samples;
};

net::ClientRequest RemoteReadClient::Impl::request(std::string body) const {
  net::ClientRequest out;
  out.method = net::Method::kPost;
  out.url = options.url;
  for (const auto& [name, value] : options.headers) out.headers.set(name, value);
  out.headers.set("Content-Encoding", "snappy");
  out.headers.set("Accept-Encoding", "snappy");
  out.headers.set("Content-Type", "application/x-protobuf");
  out.headers.set("X-Prometheus-Remote-Read-Version", "0.1.0");
  snappy::Compress(body.data(), body.size(), &out.body);
  out.timeout = std::chrono::milliseconds(options.remote_timeout_ms);
  out.max_body_bytes = options.max_body_bytes;
  return out;
}

Result<net::Response> RemoteReadClient::Impl::exchange(net::ClientRequest out) {
  struct Outcome {
    Mutex mu;
    CondVar changed;
    std::optional<Result<net::Response>> result GUARDED_BY(mu);
  };
  // Shared: the exchange may end after the wait for it.
  const auto outcome = std::make_shared<Outcome>();
  asio::co_spawn(deps.io.next(), peer.send(std::move(out)),
                 [outcome](const std::exception_ptr& thrown, Result<net::Response> result) {
                   const MutexLock held(outcome->mu);
                   if (thrown) result = fail(Code::kInternal, "the exchange broke off");
                   outcome->result = std::move(result);
                   outcome->changed.notify_all();
                 });
  const int64_t end_ms = deps.clock.monotonic_ms() + options.remote_timeout_ms + kSlackMs;
  const MutexLock held(outcome->mu);
  while (!outcome->result) {
    const int64_t left_ms = end_ms - deps.clock.monotonic_ms();
    if (left_ms <= 0) return fail(Code::kUnavailable, "the I/O threads do not run");
    outcome->changed.wait_for_ms(outcome->mu, left_ms);
  }
  return std::move(*outcome->result);
}

Result<std::vector<RemoteSeries>> RemoteReadClient::Impl::ask(const model::Matchers& matchers,
                                                              int64_t min_ms, int64_t max_ms) {
  TRY_ASSIGN(const net::Response answer,
             exchange(request(read_request_message(matchers, min_ms, max_ms))));
  if (answer.status / 100 != 2) {
    const std::string line = answer.body.substr(0, std::min(answer.body.find('\n'), kMostWords));
    return fail(Code::kUnavailable, fmt::format("status {}: {}", answer.status, line));
  }
  size_t bytes = 0;
  if (!snappy::GetUncompressedLength(answer.body.data(), answer.body.size(), &bytes))
    return fail(Code::kDataLoss, "the answer is not a snappy block");
  if (bytes > options.max_body_bytes) {
    return fail(Code::kResourceExhausted, fmt::format("the answer has {} bytes, the limit is {}",
                                                      bytes, options.max_body_bytes));
  }
  std::string message;
  if (!snappy::Uncompress(answer.body.data(), answer.body.size(), &message))
    return fail(Code::kDataLoss, "the answer is not a snappy block");
  return parse_read_response(message);
}

// Without the external labels that were put on the question.
void RemoteReadClient::Impl::cut(std::vector<RemoteSeries>& all,
                                 const model::Matchers& asked) const {
  if (!options.filter_external_labels || options.external_labels.empty()) return;
  for (RemoteSeries& series : all) {
    model::LabelsBuilder labels(series.labels);
    for (const auto& [name, value] : options.external_labels) {
      if (std::ranges::find(asked, name, &model::Matcher::name) == asked.end()) labels.remove(name);
    }
    series.labels = labels.build();
  }
  std::ranges::sort(all, [](const RemoteSeries& a, const RemoteSeries& b) {
    return model::compare(a.labels, b.labels) < 0;
  });
}

Result<std::unique_ptr<RemoteReadClient>> RemoteReadClient::create(RemoteReadOptions options,
                                                                   RemoteReadDeps deps) {
  const auto url = net::Url::parse(options.url);
  if (!url) return fail(Error(url.error()).with_context("remote read " + options.name));
  return std::unique_ptr<RemoteReadClient>(
      new RemoteReadClient(std::make_unique<Impl>(std::move(options), deps)));
}

RemoteReadClient::RemoteReadClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RemoteReadClient::~RemoteReadClient() = default;

const RemoteReadOptions& RemoteReadClient::options() const { return impl_->options; }

bool RemoteReadClient::wants(const model::Matchers& matchers) const {
  return std::ranges::all_of(impl_->options.required_matchers, [&](const auto& required) {
    return std::ranges::any_of(matchers, [&](const model::Matcher& matcher) {
      return matcher.op() == model::MatchOp::kEqual && matcher.name() == required.first &&
             matcher.value() == required.second;
    });
  });
}

Result<std::vector<RemoteSeries>> RemoteReadClient::read(const model::Matchers& matchers,
                                                         int64_t min_ms, int64_t max_ms) {
  Impl& impl = *impl_;
  model::Matchers asked = matchers;
  if (impl.options.filter_external_labels) {
    for (const auto& [name, value] : impl.options.external_labels) {
      if (std::ranges::find(matchers, name, &model::Matcher::name) != matchers.end()) continue;
      TRY_ASSIGN(auto matcher, model::Matcher::create(model::MatchOp::kEqual, name, value));
      asked.push_back(std::move(matcher));
    }
  }
  const int64_t begin_ns = impl.deps.clock.monotonic_ns();
  auto series = impl.ask(asked, min_ms, max_ms);
  impl.seconds.observe(static_cast<double>(impl.deps.clock.monotonic_ns() - begin_ns) / 1e9);
  if (!series) {
    impl.failures.add();
    return fail(std::move(series).error().with_context("remote read " + impl.options.name));
  }
  impl.cut(*series, matchers);
  for (const RemoteSeries& one : *series) impl.samples.add(static_cast<double>(one.values.size()));
  return series;
}

}  // namespace binnacle::collect::ship
