#include "link/client_session.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

namespace binnacle::link {
namespace {

constexpr uint16_t kNormal = 1000;
constexpr uint16_t kProtocolError = 1002;
constexpr uint16_t kPolicy = 1008;
// What a server may ask for: a beat each millisecond would be as wrong as one an hour.
constexpr int64_t kShortestBeatMs = 10;
constexpr int64_t kLongestBeatMs = 60'000;
constexpr int64_t kLeastSilenceInBeats = 3;

}  // namespace

ClientActions ClientSession::step(int64_t now_ms, int64_t wall_ns, ClientEvent event) {
  now_ms_ = now_ms;
  wall_ns_ = wall_ns;
  actions_.clear();
  if (state_ != State::kClosed) std::visit([this](auto& e) { on(e); }, event);
  return std::exchange(actions_, {});
}

int64_t ClientSession::next_due_ms() const {
  switch (state_) {
    case State::kAwaitsReply:
      return heard_ms_ + options_.hello_limit_ms;
    case State::kUp:
      return std::min(next_beat_ms_, heard_ms_ + silence_limit_ms_);
    default:
      return std::numeric_limits<int64_t>::max();
  }
}

void ClientSession::on(client_event::Connected& event) {
  state_ = State::kAwaitsReply;
  heard_ms_ = now_ms_;
  facts_ = std::move(event.facts);
  actions_.emplace_back(client_action::Send{std::move(event.hello)});
}

void ClientSession::on(client_event::Received& event) {
  heard_ms_ = now_ms_;
  if (auto* reply = std::get_if<HelloReply>(&event.frame)) return hello_reply(std::move(*reply));
  if (auto* goodbye = std::get_if<Goodbye>(&event.frame)) {
    return close(kNormal, "the server said goodbye: " + goodbye->reason);
  }
  if (state_ != State::kUp) {
    return close(kProtocolError,
                 fmt::format("{} before the hello was answered", frame_name(event.frame)));
  }
  if (const auto* reply = std::get_if<BeatReply>(&event.frame)) return beat_reply(*reply);
  if (auto* request = std::get_if<ProbeRequest>(&event.frame)) return probe(std::move(*request));
  if (auto* request = std::get_if<EchoRequest>(&event.frame)) return echo(std::move(*request));
  if (std::holds_alternative<Drain>(event.frame) || std::holds_alternative<Pace>(event.frame) ||
      std::holds_alternative<Peers>(event.frame)) {
    actions_.emplace_back(client_action::Tell{std::move(event.frame)});
  } else {
    actions_.emplace_back(client_action::Drop{"direction"});
  }
}

void ClientSession::on(client_event::Tick& event) {
  worst_lag_us_ = std::max(worst_lag_us_, event.loop_lag_us);
  if (state_ == State::kAwaitsReply && now_ms_ - heard_ms_ >= options_.hello_limit_ms) {
    return close(kPolicy, "the server did not answer the hello");
  }
  if (state_ != State::kUp) return;
  if (now_ms_ - heard_ms_ >= silence_limit_ms_) return close(kPolicy, "the server is silent");
  if (now_ms_ < next_beat_ms_) return;
  // Beats that a sleeping machine missed are not made up for.
  next_beat_ms_ = std::max(next_beat_ms_ + interval_ms_, now_ms_ + 1);
  constexpr int64_t kMost = std::numeric_limits<uint32_t>::max();
  actions_.emplace_back(
      client_action::Send{Beat{.number = ++number_,
                               .sent_ns = wall_ns_,
                               .answered_number = answered_number_,
                               .answered_ns = answered_ns_,
                               .loop_lag_us = static_cast<uint32_t>(std::min(worst_lag_us_, kMost)),
                               .load = event.load}});
  worst_lag_us_ = 0;
}

void ClientSession::on(client_event::ProbeDone& event) {
  if (probes_ > 0) --probes_;
  if (state_ == State::kUp) actions_.emplace_back(client_action::Send{std::move(event.reply)});
}

void ClientSession::on(client_event::EchoProgress& event) {
  if (!echoes_.contains(event.reply.id)) return;
  if (event.reply.done) echoes_.erase(event.reply.id);
  if (state_ == State::kUp) actions_.emplace_back(client_action::Send{std::move(event.reply)});
}

void ClientSession::on(client_event::FactsChanged& event) {
  if (event.facts == facts_) return;
  facts_ = std::move(event.facts);
  if (state_ == State::kUp) actions_.emplace_back(client_action::Send{facts_});
}

void ClientSession::on(client_event::Leave& event) {
  if (state_ != State::kNew) actions_.emplace_back(client_action::Send{Goodbye{event.reason}});
  close(kNormal, std::move(event.reason));
}

void ClientSession::hello_reply(HelloReply reply) {
  if (state_ != State::kAwaitsReply) return close(kProtocolError, "a second hello reply");
  if (!reply.accepted) {
    std::string reason = reply.reason;
    actions_.emplace_back(client_action::Refused{std::move(reply)});
    return close(kNormal, std::move(reason));
  }
  if (reply.version < kOldestVersion || reply.version > kNewestVersion) {
    return close(kProtocolError, fmt::format("the server chose link version {}, which this agent "
                                             "does not speak",
                                             reply.version));
  }
  state_ = State::kUp;
  interval_ms_ = std::clamp<int64_t>(reply.beat_interval_ms, kShortestBeatMs, kLongestBeatMs);
  silence_limit_ms_ =
      std::max<int64_t>(reply.silence_limit_ms, kLeastSilenceInBeats * interval_ms_);
  next_beat_ms_ = now_ms_;
  actions_.emplace_back(client_action::Accepted{std::move(reply)});
  if (!facts_.facts.empty()) actions_.emplace_back(client_action::Send{facts_});
}

void ClientSession::beat_reply(const BeatReply& reply) {
  if (reply.number != number_ || reply.number == answered_number_) return;  // late or twice
  answered_number_ = reply.number;
  answered_ns_ = wall_ns_;
}

void ClientSession::probe(ProbeRequest request) {
  if (probes_ >= options_.max_probes) {
    actions_.emplace_back(client_action::Send{
        ProbeReply{.id = request.id, .error = "too many probes are under way on this node"}});
    return;
  }
  ++probes_;
  request.timeout_ms =
      static_cast<uint32_t>(std::clamp<int64_t>(request.timeout_ms, 1, options_.longest_probe_ms));
  actions_.emplace_back(client_action::Probe{std::move(request)});
}

void ClientSession::echo(EchoRequest request) {
  if (request.duration_ms == 0) {
    if (echoes_.contains(request.id)) {
      actions_.emplace_back(client_action::Echo{std::move(request)});
    }
    return;
  }
  if (echoes_.contains(request.id)) {
    actions_.emplace_back(client_action::Drop{"echo"});
    return;
  }
  if (echoes_.size() >= options_.max_echoes) {
    actions_.emplace_back(client_action::Send{EchoReply{
        .id = request.id, .done = true, .error = "too many echoes are under way on this node"}});
    return;
  }
  echoes_.insert(request.id);
  request.interval_ms = static_cast<uint32_t>(std::clamp<int64_t>(
      request.interval_ms, options_.shortest_echo_interval_ms, options_.longest_echo_interval_ms));
  request.duration_ms =
      static_cast<uint32_t>(std::min<int64_t>(request.duration_ms, options_.longest_echo_ms));
  actions_.emplace_back(client_action::Echo{std::move(request)});
}

void ClientSession::close(uint16_t code, std::string reason) {
  state_ = State::kClosed;
  actions_.emplace_back(client_action::Close{code, std::move(reason)});
}

}  // namespace binnacle::link
