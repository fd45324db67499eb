#include "app/agent_link.h"

#include <algorithm>

namespace binnacle::app {
namespace {

constexpr int64_t kRepeatMs = 60'000;
// What a server may ask for.
constexpr int64_t kShortestPaceMs = 1'000;
constexpr int64_t kLongestPaceMs = 60'000;

}  // namespace

link::LinkClientHooks AgentLinkState::hooks() {
  link::LinkClientHooks hooks;
  hooks.accepted = [this](const link::HelloReply& reply) { accepted(reply); };
  hooks.refused = [this](const link::HelloReply& reply) { refused(reply); };
  hooks.unreachable = [this](const Error& error) { unreachable(error); };
  hooks.lost = [this](const std::string& reason) { lost(reason); };
  hooks.pace = [this](int64_t interval_ms) { pace(interval_ms); };
  hooks.drain = [this](const std::string& reason) {
    log_.info("the server drains this node", {{"reason", reason}});
  };
  return hooks;
}

void AgentLinkState::accepted(const link::HelloReply& reply) {
  said_.clear();
  log_.info("connected", {{"server", server_url_},
                          {"software", reply.software},
                          {"address", reply.address},
                          {"beat_interval_ms", reply.beat_interval_ms}});
}

void AgentLinkState::refused(const link::HelloReply& reply) {
  if (!worth_saying(reply.reason)) return;
  log_.error("the server refuses this node; trying on", {{"reason", reply.reason}});
}

void AgentLinkState::unreachable(const Error& error) {
  if (!worth_saying(error.message)) return;
  if (error.code == Code::kUnauthenticated || error.code == Code::kPermissionDenied) {
    log_.error(
        "the server does not take this node's key; make a token on the server with "
        "`binnacle key join-token` and start with --token",
        {{"server", server_url_}, {"error", error.message}});
  } else {
    log_.warn("the server is away; trying on, samples wait in the queue",
              {{"server", server_url_}, {"error", error.message}});
  }
}

// A look belongs to the connection that brought it.
void AgentLinkState::lost(const std::string& reason) {
  pace_ms_ = 0;
  log_.warn("connection lost", {{"server", server_url_}, {"reason", reason}});
}

void AgentLinkState::pace(int64_t interval_ms) {
  pace_ms_ = interval_ms == 0 ? 0 : std::clamp(interval_ms, kShortestPaceMs, kLongestPaceMs);
}

bool AgentLinkState::worth_saying(const std::string& what) {
  const int64_t now_ms = clock_.monotonic_ms();
  if (what == said_ && now_ms - said_ms_ < kRepeatMs) return false;
  said_ = what;
  said_ms_ = now_ms;
  return true;
}

}  // namespace binnacle::app
