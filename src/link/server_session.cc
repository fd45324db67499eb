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

int64_t ServerSession::next_due_ms() const {
  int64_t due_ms = state_ == State::kAwaitsHello ? began_ms_ + options_.hello_limit_ms
                                                 : heard_ms_ + options_.silence_limit_ms;
  for (const auto& [id, deadline_ms] : probes_) due_ms = std::min(due_ms, deadline_ms);
  for (const auto& [id, deadline_ms] : echoes_) due_ms = std::min(due_ms, deadline_ms);
  return look_until_ms_ == 0 ? due_ms : std::min(due_ms, look_until_ms_);
}

void ServerSession::on(session_event::Received& event) {
  const auto* beats = std::get_if<Beat>(&event.frame);
  // Whoever plays an old beat again does not keep a silent node up.
  if (beats != nullptr && state_ == State::kUp && beats->number <= newest_beat_) {
    actions_.emplace_back(session_action::Drop{"replay"});
    return;
  }
  heard_ms_ = now_ms_;
  if (auto* hello = std::get_if<Hello>(&event.frame)) {
    if (state_ != State::kAwaitsHello)
      return close(kProtocolError, "a second hello", LinkEnd::kMalformed);
    state_ = State::kAwaitsWord;
    actions_.emplace_back(session_action::Admit{std::move(*hello)});
    return;
  }
  if (std::holds_alternative<Goodbye>(event.frame)) {
    return close(kNormal, std::get<Goodbye>(event.frame).reason, LinkEnd::kGoodbye);
  }
  if (state_ != State::kUp) {
    return close(kProtocolError,
                 fmt::format("{} before hello was answered", frame_name(event.frame)),
                 LinkEnd::kMalformed);
  }
  if (beats != nullptr) return beat(*beats, event.came_ns == 0 ? wall_ns_ : event.came_ns);
  if (!within_rate()) {
    actions_.emplace_back(session_action::Drop{"rate"});
  } else if (auto* reply = std::get_if<ProbeReply>(&event.frame)) {
    probe_reply(std::move(*reply));
  } else if (auto* echo = std::get_if<EchoReply>(&event.frame)) {
    echo_reply(std::move(*echo));
  } else if (std::holds_alternative<CheckResult>(event.frame) ||
             std::holds_alternative<NodeEvent>(event.frame) ||
             std::holds_alternative<Facts>(event.frame)) {
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
  close(kPolicy, std::move(reason), LinkEnd::kClosed);
}

void ServerSession::on(session_event::Tick&) {
  if (state_ == State::kAwaitsHello && now_ms_ - began_ms_ >= options_.hello_limit_ms) {
    return close(kPolicy, "no hello came", LinkEnd::kSilent);
  }
  if (now_ms_ - heard_ms_ >= options_.silence_limit_ms) {
    return close(kPolicy, "silent", LinkEnd::kSilent);
  }
  give_up_what_is_due();
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

void ServerSession::on(session_event::Echo& event) {
  if (event.duration_ms <= 0) {
    if (echoes_.contains(event.id)) send(EchoRequest{.id = event.id});
    return;
  }
  if (state_ != State::kUp || echoes_.size() >= options_.max_echoes) {
    return deliver(
        EchoReply{.id = event.id, .done = true, .error = "the agent has too many echoes to do"});
  }
  const int64_t duration_ms = std::min(event.duration_ms, options_.longest_echo_ms);
  echoes_[event.id] = now_ms_ + duration_ms + options_.echo_answer_ms;
  send(EchoRequest{event.id, std::move(event.address),
                   static_cast<uint32_t>(std::clamp<int64_t>(event.interval_ms, 1, duration_ms)),
                   static_cast<uint32_t>(duration_ms)});
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

void ServerSession::beat(const Beat& beat, int64_t came_ns) {
  std::optional<ClockReading> clocks;
  if (beat.answered_number != 0 && beat.answered_number == answered_.number) {
    clocks = read_clocks(
        {answered_.asked_ns, answered_.received_ns, answered_.replied_ns, beat.answered_ns});
    answered_ = {};
  }
  newest_beat_ = beat.number;
  if (beat.number % answer_each_ == 0) {
    answered_ = {beat.number, beat.sent_ns, came_ns, wall_ns_};
    send(BeatReply{beat.number, came_ns, wall_ns_});
  }
  actions_.emplace_back(session_action::Beaten{beat, clocks});
}

void ServerSession::probe_reply(ProbeReply reply) {
  if (probes_.erase(reply.id) == 0) {
    actions_.emplace_back(session_action::Drop{"probe"});
  } else {
    deliver(std::move(reply));
  }
}

void ServerSession::echo_reply(EchoReply reply) {
  const auto it = echoes_.find(reply.id);
  if (it == echoes_.end()) {
    actions_.emplace_back(session_action::Drop{"echo"});
    return;
  }
  if (reply.done) echoes_.erase(it);
  deliver(std::move(reply));
}

void ServerSession::give_up_what_is_due() {
  constexpr std::string_view kNotTold = "the agent did not tell in time";
  std::erase_if(probes_, [this, kNotTold](const auto& probe) {
    if (now_ms_ < probe.second) return false;
    deliver(ProbeReply{.id = probe.first, .error = std::string(kNotTold)});
    return true;
  });
  std::erase_if(echoes_, [this, kNotTold](const auto& echo) {
    if (now_ms_ < echo.second) return false;
    deliver(EchoReply{.id = echo.first, .done = true, .error = std::string(kNotTold)});
    return true;
  });
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

void ServerSession::close(uint16_t code, std::string reason, LinkEnd how) {
  state_ = State::kClosed;
  actions_.emplace_back(session_action::Close{code, std::move(reason), how});
}

}  // namespace binnacle::link
