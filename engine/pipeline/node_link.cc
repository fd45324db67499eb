#include "engine/pipeline/node_link.h"

#include <fmt/format.h>

#include <utility>

#include "base/log.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/version.h"
#include "link/back_off.h"
#include "link/node_identity.h"
#include "net/client.h"
#include "net/echo_socket.h"

namespace binnacle::engine {
namespace {

constexpr int64_t kFirstJoinWaitMs = 1'000;
constexpr int64_t kLongestJoinWaitMs = 30'000;
constexpr int64_t kSayAgainMs = 60'000;

}  // namespace

struct NodeLink::Parts {
  Parts(NodeLinkOptions o, NodeLinkHooks h, link::NodeIdentity i, FileSystem& f,
        net::IoThreads& io_threads, const Clock& c, Registry& r)
      : options(std::move(o)),
        hooks(std::move(h)),
        io(io_threads),
        clock(c),
        registry(r),
        identity(std::move(i)),
        client({}, f),
        key(options.key.empty() ? identity.key() : options.key) {}

  Status find_key();
  Status try_to_join();
  void connect() EXCLUDES(mu);
  link::LinkClientHooks link_hooks();
  bool worth_saying(const std::string& what);
  link::LinkClient* connected() const EXCLUDES(mu) {
    const MutexLock lock(mu);
    return link.get();
  }

  const NodeLinkOptions options;
  const NodeLinkHooks hooks;
  net::IoThreads& io;
  const Clock& clock;
  Registry& registry;
  const Log log{"link"};
  SystemRandom random;
  link::NodeIdentity identity;
  net::Client client;
  std::unique_ptr<net::EchoSocket> echo;

  // Owner's thread
  bool joining = false;
  link::BackOff join_wait{random, kFirstJoinWaitMs, kLongestJoinWaitMs};
  int64_t next_join_ms = 0;

  // Link's thread
  std::string said;
  int64_t said_ms = 0;

  mutable Mutex mu;
  std::string key GUARDED_BY(mu);
  link::Facts facts GUARDED_BY(mu);
  // Last: it calls back into the others. Made once, when the key is known.
  std::unique_ptr<link::LinkClient> link GUARDED_BY(mu);
};

// As an agent does: a token is for when there is no key, or the server does not know it any more.
Status NodeLink::Parts::find_key() {
  const std::string had = [this] {
    const MutexLock lock(mu);
    return key;
  }();
  if (!options.token.empty() && had.empty()) {
    joining = true;
  } else if (!options.token.empty()) {
    const auto good = link::key_is_accepted(client, io, options.server_url, had);
    joining = good && !*good;
    log.info(joining ? "the server does not know this node's key any more; joining again"
                     : "joined already; the token is left unused");
  }
  if (joining) return try_to_join();
  connect();
  return {};
}

Status NodeLink::Parts::try_to_join() {
  const int64_t now_ms = clock.monotonic_ms();
  if (now_ms < next_join_ms) return {};
  auto issued =
      link::redeem_join_token(client, io, options.server_url, options.token, options.name);
  if (!issued && issued.error().code == Code::kUnavailable) {
    const int64_t wait_ms = join_wait.next_ms();
    next_join_ms = now_ms + wait_ms;
    log.warn("join: the server is away",
             {{"error", issued.error().message}, {"retry_ms", wait_ms}});
    return {};
  }
  joining = false;
  if (!issued) {
    return fail(issued.error().code,
                "join " + issued.error().message + "; --token wants a fresh one-use token");
  }
  TRY(identity.keep_key(*issued));
  {
    const MutexLock lock(mu);
    key = *issued;
  }
  log.info("joined", {{"server", options.server_url}, {"node", options.name}});
  connect();
  return {};
}

bool NodeLink::Parts::worth_saying(const std::string& what) {
  const int64_t now_ms = clock.monotonic_ms();
  if (what == said && now_ms - said_ms < kSayAgainMs) return false;
  said = what;
  said_ms = now_ms;
  return true;
}

link::LinkClientHooks NodeLink::Parts::link_hooks() {
  link::LinkClientHooks out;
  if (hooks.load) out.load = [this] { return hooks.load(); };
  out.accepted = [this](const link::HelloReply& reply) {
    said.clear();
    log.info("connected", {{"server", options.server_url}, {"software", reply.software}});
  };
  out.refused = [this](const link::HelloReply& reply) {
    if (worth_saying(reply.reason))
      log.error("the server refuses this node; trying on", {{"reason", reply.reason}});
  };
  out.unreachable = [this](const Error& error) {
    if (worth_saying(error.message))
      log.warn("no link to the server; working on, trying again",
               {{"server", options.server_url}, {"error", error.message}});
  };
  out.lost = [this](const std::string& reason) {
    log.warn("connection lost", {{"server", options.server_url}, {"reason", reason}});
  };
  out.drain = hooks.drain;
  return out;
}

void NodeLink::Parts::connect() {
  link::LinkClientOptions out;
  out.server_url = options.server_url;
  out.hello.node_id = identity.node_id();
  out.hello.name = options.name;
  out.hello.role = options.role;
  out.hello.cluster = options.cluster;
  out.hello.boot_id = secure_random_hex(8);
  out.hello.software = fmt::format("binnacle-engine {} ({})", version(), revision());
  out.hello.probe_address = options.probe_address;
  out.echo = echo.get();
  const MutexLock lock(mu);
  out.key = key;
  link = std::make_unique<link::LinkClient>(std::move(out), link_hooks(), client, io, clock, random,
                                            registry);
  link->set_facts(facts);
  link->start();
}

Result<std::unique_ptr<NodeLink>> NodeLink::open(NodeLinkOptions options, NodeLinkHooks hooks,
                                                 FileSystem& files, net::IoThreads& io,
                                                 const Clock& clock, Registry& registry) {
  TRY(net::Url::parse(options.server_url));
  TRY_ASSIGN(auto identity, link::NodeIdentity::open(options.folder, files));
  auto parts = std::make_unique<Parts>(std::move(options), std::move(hooks), std::move(identity),
                                       files, io, clock, registry);
  if (!parts->options.echo_listen.empty()) {
    TRY_ASSIGN(parts->echo, net::EchoSocket::open(io.context(0), parts->options.echo_listen, clock,
                                                  parts->random, registry));
  }
  return std::unique_ptr<NodeLink>(new NodeLink(std::move(parts)));
}

NodeLink::NodeLink(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

NodeLink::~NodeLink() { stop(); }

Status NodeLink::start() { return parts_->find_key(); }

Status NodeLink::tick() { return parts_->joining ? parts_->try_to_join() : Status(); }

void NodeLink::stop() {
  if (auto* link = parts_->connected()) link->stop();
}

std::string NodeLink::key() const {
  const MutexLock lock(parts_->mu);
  return parts_->key;
}

void NodeLink::tell(std::string kind, std::string subject, std::string data) {
  if (auto* link = parts_->connected()) {
    link->send(link::NodeEvent{.kind = std::move(kind),
                               .subject = std::move(subject),
                               .data = std::move(data),
                               .time_ms = parts_->clock.wall_ms()});
  }
}

void NodeLink::tell(link::CheckResult result) {
  if (auto* link = parts_->connected()) link->send(std::move(result));
}

void NodeLink::set_facts(link::Facts facts) {
  const MutexLock lock(parts_->mu);
  parts_->facts = std::move(facts);
  if (parts_->link) parts_->link->set_facts(parts_->facts);
}

}  // namespace binnacle::engine
