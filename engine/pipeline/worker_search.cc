#include "engine/pipeline/worker_search.h"

#include <nlohmann/json.hpp>

#include <utility>

#include "base/json_parse.h"

namespace binnacle::engine {
namespace {

constexpr std::string_view kWorkerRole = "engine-worker";
constexpr std::chrono::milliseconds kAskLimit{5'000};
constexpr std::chrono::milliseconds kAskEvery{1'000};

}  // namespace

Result<std::vector<std::string>> worker_addresses(const std::string& nodes_json) {
  const auto body = parse_json(nodes_json);
  if (!body.is_object() || !body.contains("nodes") || !body["nodes"].is_array()) {
    return fail(Code::kDataLoss, "the server's list of nodes is not what it should be");
  }
  std::vector<std::string> addresses;
  for (const auto& node : body["nodes"]) {
    if (!node.is_object() || node.value("role", "") != kWorkerRole) continue;
    const std::string state = node.value("state", "");
    const std::string address = node.value("probe_address", "");
    if (address.empty() || state == "down" || state == "left" || state == "draining") continue;
    addresses.push_back(address);
  }
  return addresses;
}

WorkerSearch::WorkerSearch(std::string server_url, const NodeLink& link, FileSystem& files,
                           net::IoThreads& io, Registry& registry)
    : server_url_(std::move(server_url)),
      link_(link),
      failures_(registry.counter("binnacle_engine_server_failures_total",
                                 "Questions to Binnacle's server that had no answer of use.")),
      client_({}, files),
      loop_(io) {}

void WorkerSearch::start(Found found) {
  loop_.start({[this, found = std::move(found)] { return look(found); }});
}

// While the server is away, the workers known so far stay.
boost::asio::awaitable<void> WorkerSearch::look(Found found) {
  while (true) {
    net::ClientRequest request;
    request.url = server_url_ + "/api/binnacle/v1/link/nodes";
    request.timeout = kAskLimit;
    if (const std::string key = link_.key(); !key.empty())
      request.headers.set("Authorization", "Bearer " + key);
    const auto response = co_await client_.send(std::move(request));
    auto addresses = response && response->status == 200
                         ? worker_addresses(response->body)
                         : fail(Code::kUnavailable, "no list of nodes");
    if (addresses) {
      found(*std::move(addresses));
    } else {
      failures_.add();
    }
    co_await net::rest(kAskEvery);
  }
}

}  // namespace binnacle::engine
