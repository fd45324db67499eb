#include "collect/discovery/kubernetes_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "net/background_loop.h"
#include "net/run_on_pool.h"

namespace binnacle::collect::discovery {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

constexpr int kPageObjects = 500;
constexpr size_t kMaxPageBytes = size_t{128} << 20;
constexpr size_t kMaxEventBytes = size_t{16}
                                  << 20;  // the server refuses larger objects long before
constexpr size_t kMaxErrorBytes = size_t{64} << 10;
constexpr milliseconds kAnswerTimeout{30'000};
constexpr milliseconds kSilence{30'000};  // beyond the time that the watch was asked to last

Unexpected refused(std::string_view what, int status, std::string_view body) {
  const std::string message = status_message(body);
  return fail(status == 410 ? Code::kOutOfRange : Code::kUnavailable,
              fmt::format("kubernetes: {}: HTTP status {}{}{}", what, status,
                          message.empty() ? "" : ": ", message));
}

}  // namespace

KubernetesWatch::KubernetesWatch(WatchTarget target, net::HttpPeer& peer, ObjectSink& sink,
                                 SourceHealth& health, ThreadPool& pool, Random& random,
                                 const KubernetesTiming& timing)
    : target_(std::move(target)),
      peer_(peer),
      sink_(sink),
      health_(health),
      pool_(pool),
      random_(random),
      timing_(timing) {}

asio::awaitable<void> KubernetesWatch::run() {
  while (true) {
    Status done;
    if (version_.empty()) done = co_await list();
    if (done) done = co_await watch();
    if (!done) {
      if (done.error().code == Code::kOutOfRange) {
        version_.clear();
      } else {
        health_.failed(done.error());
        ++failures_;
      }
    }
    co_await net::rest(next_rest());
  }
}

// With jitter, so that the clients of a server that comes back do not come all at once.
milliseconds KubernetesWatch::next_rest() {
  const int doublings = std::clamp(failures_ - 1, 0, 10);
  const auto longest = std::min(timing_.first_rest * (1 << doublings), timing_.longest_rest);
  return milliseconds(
      static_cast<int64_t>(static_cast<double>(longest.count()) * (0.5 + random_.unit() / 2)));
}

std::string KubernetesWatch::query() const {
  std::string text;
  if (!target_.label_selector.empty()) {
    text += "&labelSelector=" + net::percent_encode(target_.label_selector);
  }
  if (!target_.field_selector.empty()) {
    text += "&fieldSelector=" + net::percent_encode(target_.field_selector);
  }
  return text;
}

asio::awaitable<Status> KubernetesWatch::list() {
  std::vector<KubeObject> all;
  std::string token;
  std::string version;
  do {
    auto page = co_await list_page(token);
    if (!page) co_return fail(std::move(page).error());
    std::ranges::move(page->items, std::back_inserter(all));
    token = std::move(page->continue_token);
    version = std::move(page->resource_version);
  } while (!token.empty());
  version_ = std::move(version);
  sink_.listed(target_.watch, std::move(all));
  health_.succeeded();
  failures_ = 0;
  co_return Status();
}

asio::awaitable<Result<ObjectPage>> KubernetesWatch::list_page(const std::string& token) {
  net::ClientRequest request{
      .url = fmt::format("{}?limit={}{}", target_.url, kPageObjects, query()),
      .timeout = kAnswerTimeout,
      .max_body_bytes = kMaxPageBytes};
  if (!token.empty()) request.url += "&continue=" + net::percent_encode(token);
  request.headers.add("Accept", "application/json");
  const auto response = co_await peer_.send(std::move(request));
  if (!response) co_return fail(response.error());
  if (response->status != 200) co_return refused("list", response->status, response->body);
  Result<ObjectPage> page;
  const Status ran =
      co_await net::run_on_pool(pool_, [&] { page = parse_object_page(response->body); });
  if (!ran) co_return fail(ran.error());
  co_return page;
}

asio::awaitable<Status> KubernetesWatch::watch() {
  net::ClientRequest request{
      .url = fmt::format(
          "{}?watch=1&allowWatchBookmarks=true&resourceVersion={}&timeoutSeconds={}{}", target_.url,
          net::percent_encode(version_), timing_.watch_time.count(), query()),
      .timeout = kAnswerTimeout,
      .max_body_bytes = std::numeric_limits<size_t>::max()};
  request.headers.add("Accept", "application/json");
  request.headers.add("Accept-Encoding", "identity");  // a coding would hold events back
  auto stream = co_await peer_.open(std::move(request));
  if (!stream) co_return fail(std::move(stream).error());
  if ((*stream)->status() != 200) {
    std::string body;
    while (body.size() < kMaxErrorBytes) {
      const auto piece = co_await (*stream)->read(kAnswerTimeout);
      if (!piece || piece->empty()) break;
      body += *piece;
    }
    co_return refused("watch", (*stream)->status(), body);
  }
  co_return co_await read_events(**stream);
}

asio::awaitable<Status> KubernetesWatch::read_events(net::ClientStream& stream) {
  std::string buffer;
  while (true) {
    const auto piece = co_await stream.read(timing_.watch_time + kSilence);
    if (!piece) co_return fail(piece.error());
    if (piece->empty()) co_return Status();
    buffer += *piece;
    if (Status taken = take_lines(buffer); !taken) co_return taken;
    failures_ = 0;
    if (buffer.size() > kMaxEventBytes) {
      co_return fail(Code::kResourceExhausted, "kubernetes: an event is longer than 16 MiB");
    }
  }
}

// Whole lines are taken off the front.
Status KubernetesWatch::take_lines(std::string& buffer) {
  size_t from = 0;
  for (size_t end; (end = buffer.find('\n', from)) != std::string::npos; from = end + 1) {
    const std::string_view line = std::string_view(buffer).substr(from, end - from);
    if (line.empty()) continue;
    TRY_ASSIGN(WatchEvent event, parse_watch_event(line));
    if (event.type == WatchEvent::Type::kGone) {
      return fail(Code::kOutOfRange, "kubernetes: the version is too old");
    }
    if (!event.resource_version.empty()) version_ = event.resource_version;
    if (event.type == WatchEvent::Type::kChanged) {
      sink_.changed(target_.watch, std::move(event.object));
    } else if (event.type == WatchEvent::Type::kDeleted) {
      sink_.deleted(target_.watch, event.object.key);
    }
  }
  buffer.erase(0, from);
  return {};
}

}  // namespace binnacle::collect::discovery
