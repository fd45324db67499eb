#include "link/server_session.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace binnacle::link {
namespace {

constexpr uint16_t kNormal = 1000;
constexpr uint16_t kProtocolError = 1002;
constexpr uint16_t kPolicy = 1008;

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<uint8_t>(c) >= 0x20 && c != 0x7f; });
}

}  // namespace

HelloProblem check_hello(const Hello& hello) {
  if (hello.newest_version < kOldestVersion || hello.oldest_version > kNewestVersion) {
    return {
        Refusal::kVersion,
        fmt::format("the agent speaks link versions {} to {}, the server {} to {}; update the "
                    "older of them",
                    hello.oldest_version, hello.newest_version, kOldestVersion, kNewestVersion)};
  }
  const auto wrong = [](std::string what) {
    return HelloProblem{Refusal::kHello, "hello: " + std::move(what)};
  };
  if (hello.node_id.size() != kNodeIdDigits ||
      !std::all_of(hello.node_id.begin(), hello.node_id.end(), is_hex)) {
    return wrong(fmt::format("node id: give {} lower-case hex digits", kNodeIdDigits));
  }
  if (hello.name.empty()) return wrong("name: is empty; give the node one (--name)");
  if (hello.boot_id.empty()) return wrong("boot id: is empty");
  for (const std::string* text : {&hello.name, &hello.role, &hello.cluster}) {
    if (!is_printable(*text)) return wrong("name, role and cluster: no control characters");
  }
  return {};
}

ServerSession::ServerSession(const SessionOptions& options, int64_t now_ms)
    : options_(options),
      began_ms_(now_ms),
      heard_ms_(now_ms),
      tokens_(options.frame_burst),
      tokens_ms_(now_ms) {}

SessionActions ServerSession::step(int64_t now_ms, int64_t wall_ns, SessionEvent event) {
  now_ms_ = now_ms;
  wall_ns_ = wall_ns;
  actions_.clear();
  if (state_ != State::kClosed) std::visit([this](auto& e) { on(e); }, event);
  return std::exchange(actions_, {});
}

void ServerSession::on(session_event::Received& event) {
  heard_ms_ = now_ms_;
  if (auto* hello = std::get_if<Hello>(&event.frame)) {
    if (state_ != State::kAwaitsHello) return close(kProtocolError, "a second hello");
    state_ = State::kAwaitsWord;
    actions_.emplace_back(session_action::Admit{std::move(*hello)});
    return;
  }
  if (std::holds_alternative<Goodbye>(event.frame)) {
    return close(kNormal, std::get<Goodbye>(event.frame).reason, true);
  }
  if (state_ != State::kUp) {
    return close(kProtocolError,
                 fmt::format("{} before hello was answered", frame_name(event.frame)));
  }
  if (const auto* b = std::get_if<Beat>(&event.frame)) return beat(*b);
  if (!within_rate()) {
    actions_.emplace_back(session_action::Drop{"rate"});
  } else if (auto* reply = std::get_if<ProbeReply>(&event.frame)) {
    probe_reply(std::move(*reply));
  } else if (std::holds_alternative<CheckResult>(event.frame) ||
             std::holds_alternative<NodeEvent>(event.frame)) {
    deliver(std::move(event.frame));
  } else {
    actions_.emplace_back(session_action::Drop{"direction"});
  }
}

void ServerSession::on(session_event::Admitted& event) {
  if (state_ != State::kAwaitsWord) return;
  state_ = State::kUp;
  event.reply.accepted = true;
  event.reply.beat_interval_ms = static_cast<uint32_t>(options_.beat_interval_ms);
  event.reply.silence_limit_ms = static_cast<uint32_t>(options_.silence_limit_ms);
  send(std::move(event.reply));
}

void ServerSession::on(session_event::Refused& event) {
  if (state_ != State::kAwaitsWord) return;
  std::string reason = event.reply.reason;
  event.reply.accepted = false;
  send(std::move(event.reply));
  close(kPolicy, std::move(reason));
}

void ServerSession::on(session_event::Tick&) {
  if (state_ == State::kAwaitsHello && now_ms_ - began_ms_ >= options_.hello_limit_ms) {
    return close(kPolicy, "no hello came");
  }
  if (now_ms_ - heard_ms_ >= options_.silence_limit_ms) return close(kPolicy, "silent");
  for (auto it = probes_.begin(); it != probes_.end();) {
    if (now_ms_ < it->second) {
      ++it;
      continue;
    }
    deliver(ProbeReply{.id = it->first, .error = "the agent did not tell in time"});
    it = probes_.erase(it);
  }
  if (look_until_ms_ != 0 && now_ms_ >= look_until_ms_) {
    look_until_ms_ = 0;
    send(Pace{});
  }
}

void ServerSession::on(session_event::Probe& event) {
  if (state_ != State::kUp || probes_.size() >= options_.max_probes) {
    return deliver(ProbeReply{.id = event.id, .error = "the agent has too many probes to do"});
  }
  const int64_t timeout_ms = std::clamp<int64_t>(event.timeout_ms, 1, options_.longest_probe_ms);
  // The answer travels too: as long again as the probe may take.
  probes_[event.id] = now_ms_ + 2 * timeout_ms;
  send(ProbeRequest{event.id, std::move(event.address), static_cast<uint32_t>(timeout_ms)});
}

void ServerSession::on(session_event::Look&) {
  if (state_ != State::kUp) return;
  if (look_until_ms_ == 0) send(Pace{static_cast<uint32_t>(options_.look_interval_ms)});
  look_until_ms_ = now_ms_ + options_.look_hold_ms;
}

void ServerSession::on(session_event::SendDrain& event) {
  if (state_ == State::kUp) send(Drain{std::move(event.reason)});
}

void ServerSession::on(session_event::SendPeers& event) {
  if (state_ == State::kUp) send(std::move(event.peers));
}

void ServerSession::beat(const Beat& beat) {
  std::optional<ClockReading> clocks;
  if (beat.answered_number != 0 && beat.answered_number == answered_.number) {
    clocks = read_clocks(
        {answered_.asked_ns, answered_.received_ns, answered_.replied_ns, beat.answered_ns});
  }
  answered_ = {beat.number, beat.sent_ns, wall_ns_, wall_ns_};
  send(BeatReply{beat.number, wall_ns_, wall_ns_});
  actions_.emplace_back(session_action::Beaten{clocks});
}

void ServerSession::probe_reply(ProbeReply reply) {
  if (probes_.erase(reply.id) == 0) {
    actions_.emplace_back(session_action::Drop{"probe"});
  } else {
    deliver(std::move(reply));
  }
}

void ServerSession::deliver(Frame frame) {
  actions_.emplace_back(session_action::Deliver{std::move(frame)});
}

bool ServerSession::within_rate() {
  const double passed_s = static_cast<double>(now_ms_ - tokens_ms_) / 1000;
  tokens_ = std::min(options_.frame_burst, tokens_ + passed_s * options_.frames_per_second);
  tokens_ms_ = now_ms_;
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

void ServerSession::send(Frame frame) {
  actions_.emplace_back(session_action::Send{std::move(frame)});
}

void ServerSession::close(uint16_t code, std::string reason, bool goodbye) {
  state_ = State::kClosed;
  actions_.emplace_back(session_action::Close{code, std::move(reason), goodbye});
}

}  // namespace binnacle::link
