#include "engine/pipeline/server_link.h"

#include <atomic>
#include <utility>

#include "base/log.h"
#include "base/version.h"
#include "link/back_off.h"
#include "link/node_identity.h"
#include "net/client.h"
#include "net/echo_socket.h"

namespace binnacle::engine {
namespace {

constexpr int64_t kFirstJoinWaitMs = 1'000;
constexpr int64_t kLongestJoinWaitMs = 30'000;
constexpr int64_t kHealthEveryMs = 10'000;
constexpr uint32_t kHealthTtlMs = 30'000;
constexpr int64_t kSayAgainMs = 60'000;
constexpr const char* kRole = "engine-worker";

}  // namespace

struct ServerLink::Parts {
  Parts(ServerLinkOptions o, Hooks h, link::NodeIdentity i, net::IoThreads& io_threads,
        FileSystem& f, const Clock& c, Random& r, Registry& reg)
      : options(std::move(o)),
        hooks(std::move(h)),
        identity(std::move(i)),
        io(io_threads),
        clock(c),
        random(r),
        registry(reg),
        client({}, f),
        join_wait(r, kFirstJoinWaitMs, kLongestJoinWaitMs) {}

  void find_key();
  Status try_to_join();
  void connect();
  link::LinkClientHooks link_hooks();
  void tell_health();
  bool worth_saying(const std::string& what);

  const ServerLinkOptions options;
  const Hooks hooks;
  link::NodeIdentity identity;
  net::IoThreads& io;
  const Clock& clock;
  Random& random;
  Registry& registry;
  const Log log{"link"};
  const std::string boot_id = secure_random_hex(8);
  net::Client client;
  std::unique_ptr<net::EchoSocket> echo;

  // Main thread
  std::string key;
  bool joining = false;
  link::BackOff join_wait;
  int64_t next_join_ms = 0;
  int64_t next_health_ms = 0;
  std::string told_status = "ok";

  // Link's thread
  std::string said;
  int64_t said_ms = 0;

  std::unique_ptr<link::LinkClient> link;  // last: it calls back into the others
};

// As an agent does: a token is for when there is no key, or the server does not know it any more.
void ServerLink::Parts::find_key() {
  key = identity.key();
  if (options.token.empty()) return;
  if (!key.empty()) {
    const auto good = link::key_is_accepted(client, io, options.server_url, key);
    joining = good && !*good;
    log.info(joining ? "the server does not know this node's key any more; joining again"
                     : "joined already; the token is left unused");
  } else {
    joining = true;
  }
}

Status ServerLink::Parts::try_to_join() {
  const int64_t now_ms = clock.monotonic_ms();
  if (now_ms < next_join_ms) return {};
  auto issued =
      link::redeem_join_token(client, io, options.server_url, options.token, options.name);
  if (issued) {
    TRY(identity.keep_key(*issued));
    key = *issued;
    joining = false;
    log.info("joined", {{"server", options.server_url}, {"node", options.name}});
    connect();
    return {};
  }
  if (issued.error().code != Code::kUnavailable) {
    return fail(issued.error().code,
                "join " + issued.error().message + "; --token wants a fresh one-use token");
  }
  const int64_t wait_ms = join_wait.next_ms();
  next_join_ms = now_ms + wait_ms;
  log.warn("join: the server is away", {{"error", issued.error().message}, {"retry_ms", wait_ms}});
  return {};
}

bool ServerLink::Parts::worth_saying(const std::string& what) {
  const int64_t now_ms = clock.monotonic_ms();
  if (what == said && now_ms - said_ms < kSayAgainMs) return false;
  said = what;
  said_ms = now_ms;
  return true;
}

link::LinkClientHooks ServerLink::Parts::link_hooks() {
  link::LinkClientHooks out;
  out.load = [this] { return hooks.load(); };
  out.oldest_sample_ms = [] { return int64_t{0}; };
  out.accepted = [this](const link::HelloReply& reply) {
    said.clear();
    log.info("registered", {{"server", options.server_url}, {"software", reply.software}});
  };
  out.refused = [this](const link::HelloReply& reply) {
    if (worth_saying(reply.reason))
      log.error("the server refuses this worker; trying on", {{"reason", reply.reason}});
  };
  out.unreachable = [this](const Error& error) {
    if (worth_saying(error.message))
      log.warn("no link to the server; the worker works on, trying again",
               {{"server", options.server_url}, {"error", error.message}});
  };
  out.lost = [this](const std::string& reason) {
    log.warn("connection lost", {{"server", options.server_url}, {"reason", reason}});
  };
  out.pace = [](int64_t) {};
  out.peers = [](const link::Peers&) {};
  out.drain = [this](const std::string& reason) { hooks.drain(reason); };
  return out;
}

void ServerLink::Parts::connect() {
  link::LinkClientOptions out;
  out.server_url = options.server_url;
  out.key = key;
  out.hello.node_id = identity.node_id();
  out.hello.name = options.name;
  out.hello.role = kRole;
  out.hello.cluster = options.cluster;
  out.hello.boot_id = boot_id;
  out.hello.software = version();
  out.hello.probe_address = options.probe_address;
  out.echo = echo.get();
  link = std::make_unique<link::LinkClient>(std::move(out), link_hooks(), client, io, clock, random,
                                            registry);
  link->start();
}

void ServerLink::Parts::tell_health() {
  const int64_t now_ms = clock.monotonic_ms();
  const WorkerReport::Health health = hooks.health();
  if (health.status == told_status && now_ms < next_health_ms) return;
  told_status = health.status;
  next_health_ms = now_ms + kHealthEveryMs;
  link->send(link::CheckResult{
      .check = "engine-worker",
      .outcome = health.fit ? link::CheckOutcome::kHealthy : link::CheckOutcome::kCritical,
      .message = health.message,
      .time_ms = clock.wall_ms(),
      .ttl_ms = kHealthTtlMs});
}

Result<std::unique_ptr<ServerLink>> ServerLink::open(ServerLinkOptions options, Hooks hooks,
                                                     net::IoThreads& io, FileSystem& files,
                                                     const Clock& clock, Random& random,
                                                     Registry& registry) {
  TRY_ASSIGN(auto identity, link::NodeIdentity::open(options.data_folder, files));
  auto parts = std::make_unique<Parts>(std::move(options), std::move(hooks), std::move(identity),
                                       io, files, clock, random, registry);
  if (!parts->options.echo_listen.empty()) {
    TRY_ASSIGN(parts->echo, net::EchoSocket::open(io.context(0), parts->options.echo_listen, clock,
                                                  random, registry));
  }
  return std::unique_ptr<ServerLink>(new ServerLink(std::move(parts)));
}

ServerLink::ServerLink(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

ServerLink::~ServerLink() { stop(); }

Status ServerLink::start() {
  parts_->find_key();
  if (parts_->joining) return parts_->try_to_join();
  parts_->connect();
  return {};
}

Status ServerLink::tick() {
  if (parts_->joining) TRY(parts_->try_to_join());
  if (parts_->link != nullptr) {
    link::Facts facts;
    facts.facts = {{"engine", "binnacle-engine " + std::string(version())}};
    const WorkerReport::Health health = parts_->hooks.health();
    facts.facts.push_back({"layers", health.message});
    parts_->link->set_facts(std::move(facts));
    parts_->tell_health();
  }
  return {};
}

void ServerLink::stop() {
  if (parts_->link != nullptr) parts_->link->stop();
}

}  // namespace binnacle::engine
