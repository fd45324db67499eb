#include "engine/pipeline/node_link.h"

#include <utility>

#include "base/version.h"

namespace binnacle::engine {

Result<std::unique_ptr<NodeLink>> NodeLink::open(NodeLinkOptions options, FileSystem& files,
                                                 net::IoThreads& io, const Clock& clock,
                                                 Registry& registry) {
  TRY(net::Url::parse(options.server_url));
  TRY_ASSIGN(auto identity, link::NodeIdentity::open(options.folder, files));
  std::unique_ptr<NodeLink> out(
      new NodeLink(std::move(options), std::move(identity), files, clock));
  TRY(out->join(io));
  out->connect(io, registry);
  return out;
}

NodeLink::NodeLink(NodeLinkOptions options, link::NodeIdentity identity, FileSystem& files,
                   const Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      identity_(std::move(identity)),
      client_({.tls = options_.tls}, files) {}

NodeLink::~NodeLink() { stop(); }

// A key that is there is kept: tokens are good for one use.
Status NodeLink::join(net::IoThreads& io) {
  if (options_.token.empty() || !identity_.key().empty()) return {};
  auto key =
      link::redeem_join_token(client_, io, options_.server_url, options_.token, options_.name);
  if (!key) {
    return fail(
        std::move(key).error().with_context("join " + options_.server_url + " with the token"));
  }
  return identity_.keep_key(*key);
}

void NodeLink::connect(net::IoThreads& io, Registry& registry) {
  link::LinkClientOptions options;
  options.server_url = options_.server_url;
  options.key = identity_.key();
  options.hello.node_id = identity_.node_id();
  options.hello.name = options_.name;
  options.hello.role = options_.role;
  options.hello.cluster = options_.cluster;
  options.hello.boot_id = secure_random_hex(8);
  options.hello.software = std::string("binnacle-engine ") + std::string(version());
  link::LinkClientHooks hooks;
  hooks.accepted = [this](const link::HelloReply& reply) {
    log_.info("connected", {{"server", options_.server_url}, {"software", reply.software}});
  };
  hooks.refused = [this](const link::HelloReply& reply) {
    log_.error("the server refuses this node; trying on", {{"reason", reply.reason}});
  };
  hooks.lost = [this](const std::string& reason) {
    log_.warn("connection lost", {{"server", options_.server_url}, {"reason", reason}});
  };
  link_ = std::make_unique<link::LinkClient>(std::move(options), std::move(hooks), client_, io,
                                             clock_, random_, registry);
  link_->start();
}

void NodeLink::tell(std::string kind, std::string subject, std::string data) {
  link_->send(link::NodeEvent{.kind = std::move(kind),
                              .subject = std::move(subject),
                              .data = std::move(data),
                              .time_ms = clock_.wall_ms()});
}

void NodeLink::set_facts(link::Facts facts) { link_->set_facts(std::move(facts)); }

void NodeLink::stop() {
  if (link_ != nullptr) link_->stop();
}

}  // namespace binnacle::engine
