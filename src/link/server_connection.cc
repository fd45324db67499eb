#include "link/server_connection.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace binnacle::link {
namespace {

namespace asio = boost::asio;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr int64_t kIdleTickMs = 60'000;
constexpr int64_t kShortestTickMs = 50;
constexpr int64_t kTickGridMs = 200;  // ticks of many sessions fall together
constexpr int64_t kPeersLookMs = 2'000;
// Bytes have not waited longer in the kernel, or a clock was set meanwhile.
constexpr int64_t kLongestWaitNs = 1'000'000'000;
// Answering wakes the agent and costs more than taking a beat, so that a session has an answer a
// second, all together as many as this many have then; but none waits for more than a few beats,
// since an agent that hears nothing leaves.
constexpr int64_t kAnswerEveryMs = 1'000;
constexpr int64_t kSessionsAnsweredInFull = 1'000;
constexpr int64_t kMostBeatsPerAnswer = 8;
constexpr int64_t kAnswersPerSilence = 4;
constexpr uint16_t kGoingAway = 1001;
constexpr uint16_t kProtocolError = 1002;
constexpr uint16_t kPolicy = 1008;
constexpr int64_t kFirstPeersAfterMs = 1'000;  // others join at the same time
constexpr size_t kMaxCloseReason = 120;        // of 123 bytes that a close frame has room for
constexpr std::string_view kMesh = "mesh";

std::string_view within(std::string_view text, size_t max) {
  while (text.size() > max || (!text.empty() && (static_cast<uint8_t>(text.back()) & 0x80) != 0 &&
                               text.size() > max - 4)) {
    text.remove_suffix(1);
  }
  return text;
}

}  // namespace

LinkInstruments::LinkInstruments(Registry& r)
    : registry(r),
      sessions(r.gauge("binnacle_link_sessions", "Agents whose connection stands.")),
      accepted(r.counter("binnacle_link_accepted_total", "Hellos that were accepted.")) {
  for (size_t i = 1; i < kRefusals; ++i) {
    refused_[i] = &r.counter("binnacle_link_refused_total", "Hellos that were refused, by reason.",
                             {{"reason", std::string(refusal_name(static_cast<Refusal>(i)))}});
  }
  constexpr std::string_view kFrames = "binnacle_link_frames_total";
  constexpr std::string_view kFramesHelp = "Frames of the link, by kind and direction.";
  const auto count = [&](const Frame& frame, const char* direction) {
    return &r.counter(kFrames, kFramesHelp,
                      {{"direction", direction}, {"kind", std::string(frame_name(frame))}});
  };
  const Frame kinds[] = {Hello{},     HelloReply{},   Beat{},        BeatReply{}, CheckResult{},
                         NodeEvent{}, ProbeRequest{}, ProbeReply{},  Drain{},     Goodbye{},
                         Pace{},      Peers{},        EchoRequest{}, EchoReply{}, Facts{}};
  for (const Frame& kind : kinds) {
    in_[kind.index()] = count(kind, "in");
    out_[kind.index()] = count(kind, "out");
  }
}

Counter& LinkInstruments::dropped(const std::string& reason) {
  return registry.counter("binnacle_link_frames_dropped_total",
                          "Frames that were not taken, by reason.", {{"reason", reason}});
}

Counter& LinkInstruments::ended(const std::string& reason) {
  return registry.counter("binnacle_link_disconnects_total",
                          "Connections of agents that ended, by reason.", {{"reason", reason}});
}

Connections::Connections(const LinkServerOptions& o, const Clock& c, Registry& registry)
    : options(o), clock(c), instruments(registry), table(c, o.max_nodes) {}

void Connections::add(uint64_t session, const std::shared_ptr<ServerConnection>& connection) {
  const MutexLock lock(mu_);
  by_session_[session] = connection;
  sessions_changed();
}

void Connections::remove(uint64_t session) {
  const MutexLock lock(mu_);
  by_session_.erase(session);
  sessions_changed();
}

std::shared_ptr<ServerConnection> Connections::find(uint64_t session) {
  const MutexLock lock(mu_);
  const auto it = by_session_.find(session);
  return it == by_session_.end() ? nullptr : it->second.lock();
}

Status Connections::post(const std::string& node_id, std::function<void(ServerConnection&)> work) {
  const auto connection = find(table.session_of(node_id));
  if (connection == nullptr) {
    return fail(Code::kNotFound, "node " + node_id + ": is not connected");
  }
  asio::post(connection->executor(), [connection, work = std::move(work)] { work(*connection); });
  return {};
}

void Connections::close(uint64_t session, std::string reason) {
  const auto connection = find(session);
  if (connection == nullptr) return;
  asio::post(connection->executor(), [connection, reason = std::move(reason)] {
    // Observers do not hear of it: another connection of the node stands.
    connection->end(kPolicy, "replaced", reason, LinkEnd::kClosed);
  });
}

void Connections::sessions_changed() {
  const auto sessions = static_cast<int64_t>(by_session_.size());
  instruments.sessions.set(static_cast<double>(sessions));
  const SessionOptions& o = options.session;
  const int64_t most =
      std::min(kMostBeatsPerAnswer, o.silence_limit_ms / kAnswersPerSilence / o.beat_interval_ms);
  const int64_t share = (sessions + kSessionsAnsweredInFull - 1) / kSessionsAnsweredInFull;
  answer_each_ = static_cast<uint64_t>(std::clamp<int64_t>(
      share * kAnswerEveryMs / o.beat_interval_ms, 1, std::max<int64_t>(most, 1)));
}

ServerConnection::ServerConnection(Connections& shared, net::WebSocket& socket,
                                   asio::any_io_executor executor, std::string peer_address)
    : shared_(shared),
      socket_(socket),
      executor_(std::move(executor)),
      peer_address_(std::move(peer_address)),
      id_(shared.next_session.fetch_add(1)),
      session_(shared.options.session, shared.clock.monotonic_ms()),
      wake_(executor_),
      tick_timer_(executor_) {}

asio::awaitable<void> ServerConnection::run() {
  using namespace asio::experimental::awaitable_operators;
  shared_.add(id_, shared_from_this());
  co_await (read_loop() || write_loop() || tick_loop());
  shared_.remove(id_);
  over();
}

// After the loops, so that a node is told to be gone once, whatever ended it.
void ServerConnection::over() {
  if (!ending_) ending_ = Ending{kGoingAway, "broken", "the connection broke", LinkEnd::kClosed};
  shared_.instruments.ended(ending_->why).add();
  if (!node_) return;
  const auto gone =
      shared_.table.disconnect(node_->id.value, id_, ending_->how == LinkEnd::kGoodbye);
  if (!gone) return;
  shared_.log.info("node disconnected", {{"node", gone->name},
                                         {"node_id", gone->id.value},
                                         {"address", gone->address},
                                         {"reason", ending_->reason}});
  for (LinkObserver* observer : shared_.observers)
    observer->disconnected(*gone, ending_->how, ending_->reason);
}

asio::awaitable<void> ServerConnection::read_loop() {
  Error ended = co_await socket_.read_each([this](const net::WebSocket::MessageView& message) {
    if (!ending_) receive(message);
  });
  if (!ending_) ending_ = Ending{kGoingAway, "broken", std::move(ended.message), LinkEnd::kClosed};
}

void ServerConnection::receive(const net::WebSocket::MessageView& message) {
  if (message.text)
    return end(kProtocolError, "malformed", "a text message on the link", LinkEnd::kMalformed);
  auto decoded = decode_message(message.data);
  if (!decoded)
    return end(kProtocolError, "malformed", decoded.error().message, LinkEnd::kMalformed);
  if (decoded->unknown > 0)
    shared_.instruments.dropped("unknown").add(static_cast<double>(decoded->unknown));
  const int64_t came_ns = arrival(message);
  session_.answer_each(shared_.answer_each());
  for (Frame& frame : decoded->frames) {
    if (ending_) return;
    shared_.instruments.frame_in(frame).add();
    happened(session_event::Received{std::move(frame), came_ns});
  }
  send_peers_when_due();
}

int64_t ServerConnection::arrival(const net::WebSocket::MessageView& message) const {
  const int64_t now_ns = shared_.clock.wall_ns();
  const int64_t waited_ns = now_ns - message.received_ns;
  return waited_ns >= 0 && waited_ns < kLongestWaitNs ? message.received_ns : now_ns;
}

void ServerConnection::happened(SessionEvent event) {
  if (ending_) return;
  SessionActions actions =
      session_.step(shared_.clock.monotonic_ms(), shared_.clock.wall_ns(), std::move(event));
  for (SessionAction& action : actions) {
    std::visit([this](auto& a) { act(a); }, action);
  }
  send_at_once();
  if (session_.next_due_ms() < tick_at_ms_) {
    tick_moved_ = true;
    tick_timer_.cancel();
  }
}

// Most frames find an idle socket; only what it does not take is the write loop's.
void ServerConnection::send_at_once() {
  while (!queue_.empty()) {
    const size_t frames = next_message();
    if (!socket_.try_write_binary(message_)) {
      wake_.cancel();
      return;
    }
    queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(frames));
  }
}

// As many frames as one message may hold, in message_; answers their number.
size_t ServerConnection::next_message() {
  message_.clear();
  size_t frames = 0;
  while (frames < std::min(queue_.size(), kMaxFramesPerMessage)) {
    const size_t before = message_.size();
    append_frame(queue_[frames], message_);
    if (message_.size() > kMaxMessageBytes) {
      message_.resize(before);
      break;
    }
    ++frames;
  }
  return frames;
}

void ServerConnection::drain(std::string reason) {
  if (!node_ || ending_) return;
  shared_.table.set_draining(node_->id.value);
  happened(session_event::SendDrain{std::move(reason)});
  for (LinkObserver* observer : shared_.observers) observer->drained(*node_);
}

void ServerConnection::act(session_action::Send& action) {
  if (queue_.size() >= shared_.options.max_queued_frames) {
    return end(kPolicy, "slow", "the agent does not read what it is sent", LinkEnd::kSlow);
  }
  shared_.instruments.frame_out(action.frame).add();
  queue_.push_back(std::move(action.frame));
}

void ServerConnection::act(session_action::Admit& action) {
  const Hello& hello = action.hello;
  HelloReply reply;
  reply.version = std::min(hello.newest_version, kNewestVersion);
  reply.late_limit_ms = shared_.options.late_limit_ms;
  reply.software = shared_.options.software;
  reply.server_boot = shared_.options.boot_id;
  reply.address = peer_address_;
  reply.echo_key = shared_.options.echo_key;
  const HelloProblem problem = check_hello(hello);
  Admission admission;
  admission.refusal = problem.refusal;
  admission.reason = problem.reason;
  if (problem.refusal == Refusal::kNone) {
    admission = shared_.table.admit(hello, id_, peer_address_, shared_.options.lively_ms);
  }
  if (admission.refusal != Refusal::kNone) {
    shared_.instruments.refused(admission.refusal).add();
    shared_.log.warn(
        "agent refused",
        {{"address", peer_address_}, {"node", hello.name}, {"reason", admission.reason}});
    reply.refusal = admission.refusal;
    reply.reason = admission.reason;
    return happened(session_event::Refused{std::move(reply)});
  }
  if (admission.replaces != 0) {
    shared_.close(admission.replaces, "the same node has connected anew");
  }
  shared_.instruments.accepted.add();
  node_ = std::move(admission.node);
  place_ = admission.place;
  wants_peers_ = std::find(hello.capabilities.begin(), hello.capabilities.end(), kMesh) !=
                 hello.capabilities.end();
  peers_due_ms_ = shared_.clock.monotonic_ms() + kFirstPeersAfterMs;
  shared_.log.info("node connected", {{"node", node_->name},
                                      {"node_id", node_->id.value},
                                      {"address", peer_address_},
                                      {"software", hello.software},
                                      {"oldest_sample_ms", hello.oldest_sample_ms}});
  const int64_t queue_age_ms = shared_.clock.wall_ms() - hello.oldest_sample_ms;
  if (hello.oldest_sample_ms > 0 && queue_age_ms > shared_.options.late_limit_ms) {
    shared_.log.warn("the agent's oldest queued samples are too old to be stored",
                     {{"node", node_->name}, {"age_ms", queue_age_ms}});
  }
  happened(session_event::Admitted{std::move(reply)});
  for (LinkObserver* observer : shared_.observers) observer->connected(*node_);
}

void ServerConnection::act(session_action::Beaten& action) {
  shared_.table.beat(place_, id_, action.clocks);
  const BeatTimes times{.number = action.beat.number,
                        .came_ms = shared_.clock.monotonic_ms(),
                        .clocks = action.clocks,
                        .loop_lag_us = action.beat.loop_lag_us,
                        .load = action.beat.load,
                        .session = id_,
                        .place = place_};
  for (LinkObserver* observer : shared_.observers) observer->beat(node_->id, times);
}

void ServerConnection::act(session_action::Deliver& action) {
  for (LinkObserver* observer : shared_.observers) {
    if (const auto* result = std::get_if<CheckResult>(&action.frame)) {
      observer->check_result(*node_, *result);
    } else if (const auto* event = std::get_if<NodeEvent>(&action.frame)) {
      observer->event(*node_, *event);
    } else if (const auto* reply = std::get_if<ProbeReply>(&action.frame)) {
      observer->probe_reply(*node_, *reply);
    } else if (const auto* echo = std::get_if<EchoReply>(&action.frame)) {
      observer->echo_reply(*node_, *echo);
    } else if (const auto* facts = std::get_if<Facts>(&action.frame)) {
      observer->facts(*node_, *facts);
    }
  }
}

void ServerConnection::act(session_action::Drop& action) {
  shared_.instruments.dropped(action.why).add();
}

void ServerConnection::act(session_action::Close& action) {
  const std::string_view why =
      action.how == LinkEnd::kClosed ? "refused" : link_end_name(action.how);
  end(action.code, std::string(why), std::move(action.reason), action.how);
}

void ServerConnection::end(uint16_t code, std::string why, std::string reason, LinkEnd how) {
  if (ending_) return;
  ending_ = Ending{code, std::move(why), std::move(reason), how};
  wake_.cancel();
}

asio::awaitable<void> ServerConnection::write_loop() {
  for (;;) {
    while (!queue_.empty()) {
      const size_t frames = next_message();
      const std::string message = message_;
      queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(frames));
      if (!co_await socket_.write_binary(message)) co_return;
    }
    if (ending_) {
      co_await socket_.close(ending_->code, within(ending_->reason, kMaxCloseReason));
      co_return;
    }
    wake_.expires_at(asio::steady_timer::time_point::max());
    co_await wake_.async_wait(kAwait);
  }
}

asio::awaitable<void> ServerConnection::tick_loop() {
  for (;;) {
    const int64_t now_ms = shared_.clock.monotonic_ms();
    tick_at_ms_ =
        std::clamp(session_.next_due_ms(), now_ms + kShortestTickMs, now_ms + kIdleTickMs);
    if (tick_at_ms_ - now_ms > kTickGridMs) tick_at_ms_ += kTickGridMs - tick_at_ms_ % kTickGridMs;
    tick_timer_.expires_after(std::chrono::milliseconds(tick_at_ms_ - now_ms));
    tick_moved_ = false;
    const auto [error] = co_await tick_timer_.async_wait(kAwait);
    if (error && !tick_moved_) co_return;
    happened(session_event::Tick{});
  }
}

void ServerConnection::send_peers_when_due() {
  const int64_t now_ms = shared_.clock.monotonic_ms();
  if (!wants_peers_ || ending_ || now_ms < peers_due_ms_) return;
  const uint64_t version = shared_.table.peers_version();
  peers_due_ms_ = now_ms + kPeersLookMs;
  if (version == peers_sent_) return;
  peers_sent_ = version;
  peers_due_ms_ = now_ms + shared_.options.peers_every_ms;
  happened(session_event::SendPeers{shared_.table.peers()});
}

}  // namespace binnacle::link
