#include "engine/pipeline/serve_link.h"

#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/version.h"
#include "link/link_client.h"
#include "link/node_identity.h"
#include "net/background_loop.h"
#include "net/client.h"

namespace binnacle::engine {

namespace asio = boost::asio;

namespace {

constexpr std::string_view kWorkerRole = "engine-worker";
constexpr std::chrono::milliseconds kAskLimit{5'000};

}  // namespace

Result<std::vector<std::string>> worker_addresses(const std::string& nodes_json) {
  const auto body = nlohmann::json::parse(nodes_json, nullptr, false);
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

struct ServeLink::Impl {
  Impl(ServeLinkOptions o, FileSystem& f, net::IoThreads& i, const Clock& c, Random& r,
       Registry& reg)
      : options(std::move(o)),
        io(i),
        clock(c),
        random(r),
        registry(reg),
        client({}, f),
        loop(i),
        failures(reg.counter("binnacle_engine_server_failures_total",
                             "Questions to Binnacle's server that had no answer of use.")) {}

  asio::awaitable<void> look(std::function<void(std::vector<std::string>)> found);
  void make_link();

  const ServeLinkOptions options;
  net::IoThreads& io;
  const Clock& clock;
  Random& random;
  Registry& registry;
  const Log log{"link"};
  std::optional<link::NodeIdentity> identity;
  std::string key;
  net::Client client;
  std::unique_ptr<link::LinkClient> link;
  net::BackgroundLoop loop;
  Counter& failures;
};

ServeLink::ServeLink(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ServeLink::~ServeLink() { stop(); }

Result<std::unique_ptr<ServeLink>> ServeLink::open(ServeLinkOptions options, FileSystem& files,
                                                   net::IoThreads& io, const Clock& clock,
                                                   Random& random, Registry& registry) {
  TRY(net::Url::parse(options.server_url));
  auto impl = std::make_unique<Impl>(std::move(options), files, io, clock, random, registry);
  impl->key = impl->options.key;
  if (!impl->options.data_folder.empty()) {
    TRY_ASSIGN(impl->identity, link::NodeIdentity::open(impl->options.data_folder, files));
    if (impl->key.empty()) impl->key = impl->identity->key();
  }
  impl->make_link();
  return std::unique_ptr<ServeLink>(new ServeLink(std::move(impl)));
}

void ServeLink::Impl::make_link() {
  link::LinkClientOptions client_options;
  client_options.server_url = options.server_url;
  client_options.key = key;
  client_options.hello.node_id = identity ? identity->node_id() : secure_random_hex(16);
  client_options.hello.name = options.name.empty() ? "engine" : options.name;
  client_options.hello.role = "engine";
  client_options.hello.cluster = options.cluster;
  client_options.hello.boot_id = secure_random_hex(8);
  client_options.hello.software = fmt::format("binnacle-engine {} ({})", version(), revision());
  link::LinkClientHooks hooks;
  hooks.accepted = [this](const link::HelloReply&) {
    log.info("connected", {{"server", options.server_url}});
  };
  hooks.refused = [this](const link::HelloReply& reply) {
    failures.add();
    log.error("the server refuses this engine", {{"reason", reply.reason}});
  };
  hooks.lost = [this](const std::string& reason) {
    log.warn("connection lost", {{"server", options.server_url}, {"reason", reason}});
  };
  link = std::make_unique<link::LinkClient>(std::move(client_options), std::move(hooks), client, io,
                                            clock, random, registry);
}

// While the server is away, the workers known so far stay.
asio::awaitable<void> ServeLink::Impl::look(std::function<void(std::vector<std::string>)> found) {
  while (true) {
    net::ClientRequest request;
    request.url = options.server_url + "/api/binnacle/v1/nodes";
    request.timeout = kAskLimit;
    if (!key.empty()) request.headers.set("Authorization", "Bearer " + key);
    const auto response = co_await client.send(std::move(request));
    auto addresses = response && response->status == 200
                         ? worker_addresses(response->body)
                         : fail(Code::kUnavailable, "no list of nodes");
    if (addresses) {
      found(*std::move(addresses));
    } else {
      failures.add();
    }
    co_await net::rest(std::chrono::milliseconds(options.look_every_ms));
  }
}

void ServeLink::start(std::function<void(std::vector<std::string>)> found) {
  impl_->link->start();
  impl_->loop.start({[impl = impl_.get(), found] { return impl->look(found); }});
}

void ServeLink::stop() {
  impl_->loop.stop();
  impl_->link->stop();
}

void ServeLink::tell(const OrchestratorEvent& event) {
  impl_->link->send(link::NodeEvent{.kind = "engine." + event.kind,
                                    .subject = event.subject,
                                    .data = nlohmann::json{{"text", event.text}}.dump(),
                                    .time_ms = event.wall_ms});
}

}  // namespace binnacle::engine
