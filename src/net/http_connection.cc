#include "net/http_connection.h"

#include "net/response_head.h"

#include <algorithm>
#include <exception>

namespace binnacle::net {

namespace asio = boost::asio;

namespace {

constexpr size_t kHeadRead = 4 * 1024;
constexpr size_t kMaxBatch = 64 * 1024;  // answers held back while more requests wait in the buffer
constexpr size_t kCopiedBody = 32 * 1024;   // a larger body is sent from where it lies
constexpr size_t kSkippedBody = 64 * 1024;  // of a refused request; beyond, closing is cheaper
constexpr size_t kCodedInline = 64 * 1024;  // about 1 ms of gzip; more is coded on the pool
constexpr size_t kMaxRequestId = 128;

int64_t to_ns(std::chrono::milliseconds time) { return time.count() * 1'000'000; }

bool is_sane_request_id(std::string_view id) {
  return !id.empty() && id.size() <= kMaxRequestId &&
         std::all_of(id.begin(), id.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

// Statuses that no Code maps to keep the JSON form of errors.
Response error_response(int status, Code code, std::string message) {
  Response response = Response::error(Error{code, std::move(message)});
  response.status = status;
  return response;
}

}  // namespace

HttpConnection::HttpConnection(std::shared_ptr<Shard> shard, std::unique_ptr<Transport> transport,
                               Connection facts, GroupSet groups)
    : shard_(std::move(shard)),
      core_(shard_->core()),
      facts_(std::move(facts)),
      groups_(groups),
      channel_(std::move(transport), core_.clock, shard_->limits),
      pool_done_(channel_.executor()),
      place_(shard_->add(*this)) {
  request_.connection = &facts_;
}

HttpConnection::~HttpConnection() {
  release_slot();
  shard_->remove(place_);
}

asio::awaitable<void> HttpConnection::run() {
  while (keeps_alive()) {
    const Head head = take_head();
    if (head == Head::kRefused) break;
    if (head == Head::kUnfinished) {
      if (!co_await wait_for_bytes()) break;
      continue;
    }
    const Next next = route();
    if (next == Next::kHandler) {
      Response response = call_handler();
      if (wants_pool_coding(response)) {
        co_await answer_coded_on_pool(std::move(response));
      } else {
        answer(std::move(response));
      }
    } else if (next != Next::kAnswered) {
      co_await exchange(next);
    }
    if (!large_body_.empty()) {
      co_await channel_.flush(large_body_);
      large_body_ = std::string();
    } else if (channel_.out.size() > kMaxBatch) {
      co_await channel_.flush();
    }
    parser_.reset();
    channel_.release_input();
  }
  co_await channel_.finish();
}

HttpConnection::Head HttpConnection::take_head() {
  size_t head_bytes = 0;
  const auto step = parser_.parse_head(channel_.in.unread(), shard_->limits.max_header_bytes,
                                       request_, head_bytes);
  if (step == RequestParser::Step::kNeedMore) return Head::kUnfinished;
  if (step == RequestParser::Step::kFailed) {
    const ParseFailure& failure = parser_.failure();
    const bool large = failure.status == 414 || failure.status == 431;
    answer_failure(large ? Refusal::kTooLarge : Refusal::kMalformed, failure.status,
                   failure.reason);
    return Head::kRefused;
  }
  begin_request(head_bytes);
  return Head::kComplete;
}

// What is ready goes out first. False: the connection ends, its last answer is in channel_.out.
asio::awaitable<bool> HttpConnection::wait_for_bytes() {
  if (!channel_.flush_at_once() && !co_await channel_.flush()) co_return false;
  const bool idle = channel_.in.empty();
  if (idle && core_.draining.load(std::memory_order_relaxed)) co_return false;
  const auto error =
      co_await channel_.fill(idle ? Channel::Waiting::kIdle : Channel::Waiting::kHead, kHeadRead);
  if (channel_.expired() == Channel::Waiting::kHead)
    answer_failure(Refusal::kTooSlow, 408, "the request's head took too long");
  co_return !error;
}

void HttpConnection::begin_request(size_t head_bytes) {
  channel_.in.consume(head_bytes);
  channel_.in.pin();
  // A request that waited behind others in the buffer begins when its turn comes.
  started_ns_ = std::max(channel_.last_read_ns(), ended_ns_);
  channel_.begin_exchange(started_ns_ +
                          to_ns(shard_->limits.header_timeout));  // until a route says otherwise
  keep_alive_ = parser_.framing().keep_alive && !core_.draining.load(std::memory_order_relaxed);
  bytes_in_ = head_bytes;
  compress_from_bytes_ = shard_->limits.compress_from_bytes;
  in_exchange_ = true;
  request_.body = {};
  request_.cancelled = nullptr;
  request_.identity = {};
  const std::string_view given = request_.header("X-Request-Id");
  request_id_ = is_sane_request_id(given) ? given : shard_->make_request_id();
  request_.request_id = request_id_;
}

HttpConnection::Next HttpConnection::route() {
  Router::Match match = core_.router.match(request_.method, request_.path, request_.path_params);
  const bool served =
      match.route != nullptr && (groups_ >> static_cast<unsigned>(match.route->group) & 1) != 0;
  state_ = &core_.state_of(served ? match.route : nullptr);
  state_->in_flight_gauge->add(1);
  if (served) return admit(*match.route);
  if (match.route != nullptr) match = {};  // of a group that this listener does not serve
  const Refusal why = match.path_exists ? Refusal::kMethod : Refusal::kNotFound;
  return refuse(why, not_routed(match));
}

Response HttpConnection::not_routed(const Router::Match& match) const {
  if (request_.method == Method::kOther)
    return error_response(501, Code::kUnimplemented, "the method is not known here");
  Response response;
  const bool any = request_.method == Method::kOptions && request_.path == "*";
  if (request_.method == Method::kOptions && (match.path_exists || any)) {
    response.status = 204;
  } else if (match.path_exists) {
    response =
        error_response(405, Code::kUnimplemented, "the path does not take this method: see Allow");
  } else {
    return error_response(404, Code::kNotFound, "no such path");
  }
  response.headers.set("Allow", any ? "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS" : match.allow);
  return response;
}

HttpConnection::Next HttpConnection::admit(const Route& route) {
  if (core_.guard != nullptr) {
    if (auto refusal = core_.guard->admit(request_, route))
      return refuse(Refusal::kGuard, std::move(*refusal));
  }
  const Framing& framing = parser_.framing();
  if (framing.content_length.value_or(0) > route.limits.max_body_bytes) {
    return refuse(Refusal::kTooLarge, 413, Code::kResourceExhausted,
                  "the body is larger than this path takes (" +
                      std::to_string(route.limits.max_body_bytes) + " bytes)");
  }
  const auto coding = route.takes_coded_body
                          ? Coding::kIdentity
                          : coding_from_name(request_.header("Content-Encoding"));
  if (!coding)
    return refuse(Refusal::kMalformed, 415, Code::kInvalidArgument,
                  "Content-Encoding: use gzip or zstd");
  body_coding_ = *coding;
  if (state_->in_flight.fetch_add(1, std::memory_order_relaxed) >= route.limits.max_concurrent) {
    state_->in_flight.fetch_sub(1, std::memory_order_relaxed);
    return refuse(Refusal::kRouteBusy, 503, Code::kUnavailable,
                  "too many requests for this path at once: try again");
  }
  holds_slot_ = true;
  channel_.begin_exchange(started_ns_ + to_ns(route.limits.timeout));
  if (std::holds_alternative<StreamHandler>(route.handler)) return Next::kStream;
  if (std::holds_alternative<WebSocketHandler>(route.handler)) return Next::kWebSocket;
  if (route.run_on == RunOn::kPool || route.queue != nullptr) return Next::kPool;
  return framing.has_body ? Next::kHandlerWithBody : Next::kHandler;
}

HttpConnection::Next HttpConnection::refuse(Refusal why, int status, Code code,
                                            std::string message) {
  Response response = error_response(status, code, std::move(message));
  if (status == 503) response.headers.add("Retry-After", "1");
  return refuse(why, std::move(response));
}

// A body that was announced must be got out of the way; whether one held back by Expect will come
// is unknown.
HttpConnection::Next HttpConnection::refuse(Refusal why, Response response) {
  core_.count_refusal(why);
  const Framing& framing = parser_.framing();
  const bool unread = framing.has_body && !parser_.body_done();
  const bool skip = unread && !framing.expects_continue &&
                    framing.content_length.value_or(kSkippedBody + 1) <= kSkippedBody;
  if (unread && !skip) keep_alive_ = false;
  const bool keep = keep_alive_;
  answer(std::move(response));
  return skip && keep ? Next::kSkipBody : Next::kAnswered;
}

Response HttpConnection::call_handler() {
  const LogRequestScope scope(request_.request_id);
  try {
    return std::get<Handler>(state_->route->handler)(request_);
  } catch (const std::exception&
               error) {  // a handler's third-party edge that leaks must not end the process
    core_.log.error("handler threw",
                    {{"route", state_->label}, {"error", std::string_view(error.what())}});
    return Response::error(Error{Code::kInternal, "an internal error, see the server's log"});
  }
}

// Any thread that has the request: content coding of a large answer is work for the pool.
void HttpConnection::code_answer(Response& response) const {
  if (response.next_piece) return;  // coded as it is sent
  const std::string_view accepted =
      request_.method == Method::kHead ? std::string_view() : request_.header("Accept-Encoding");
  const Coding coding = choose_coding(response.headers, response.status, accepted,
                                      response.body.size(), compress_from_bytes_);
  if (coding != Coding::kIdentity) response.body = encode(coding, response.body);
}

bool HttpConnection::wants_pool_coding(const Response& response) const {
  return response.body.size() > kCodedInline && request_.method != Method::kHead &&
         !request_.header("Accept-Encoding").empty();
}

void HttpConnection::answer(Response response) {
  code_answer(response);
  send_answer(std::move(response));
}

void HttpConnection::send_answer(Response response) {
  ResponseFraming framing;
  framing.status = response.status;
  framing.http10 = parser_.framing().http10;
  framing.keep_alive = keep_alive_;
  framing.request_id = request_.request_id;
  framing.date_line = shard_->date_line();
  const bool has_body = status_has_body(response.status);
  if (has_body) framing.content_length = response.body.size();
  append_response_head(channel_.out, response.headers, framing);
  const bool sends_body = has_body && request_.method != Method::kHead;
  const uint64_t body_bytes = sends_body ? response.body.size() : 0;
  if (sends_body && response.body.size() <= kCopiedBody) {
    channel_.out += response.body;
  } else if (sends_body) {
    large_body_ = std::move(response.body);
  }
  end_exchange(response.status, body_bytes);
}

// Of a request whose head could not be read to its end.
void HttpConnection::answer_failure(Refusal why, int status, std::string_view reason) {
  core_.count_refusal(why);
  keep_alive_ = false;
  request_.method = Method::kOther;
  request_.target = {};
  request_.headers = {};
  request_id_ = shard_->make_request_id();
  request_.request_id = request_id_;
  started_ns_ = core_.clock.monotonic_ns();
  in_exchange_ = true;
  state_ = &core_.state_of(nullptr);
  state_->in_flight_gauge->add(1);
  answer(error_response(status, Code::kInvalidArgument, std::string(reason)));
}

void HttpConnection::end_exchange(int status, uint64_t body_bytes) {
  if (!std::exchange(in_exchange_, false)) return;
  ended_ns_ = core_.clock.monotonic_ns();
  const double seconds = static_cast<double>(ended_ns_ - started_ns_) / 1e9;
  channel_.begin_head(ended_ns_);
  state_->in_flight_gauge->add(-1);
  state_->seconds->observe(seconds);
  shard_->count_request(*state_, request_.method, status);
  if (pool_finished_) release_slot();
  if (core_.access_log.load(std::memory_order_relaxed))
    write_access_log(status, body_bytes, seconds);
}

void HttpConnection::release_slot() {
  if (std::exchange(holds_slot_, false)) state_->in_flight.fetch_sub(1, std::memory_order_relaxed);
}

void HttpConnection::write_access_log(int status, uint64_t body_bytes, double seconds) const {
  const LogRequestScope scope(request_.request_id);
  const bool secret = state_->route != nullptr && state_->route->secret_target;
  const std::string_view target = secret ? std::string_view(state_->label) : request_.target;
  core_.access.info("request", {{"method", method_name(request_.method)},
                                {"target", target},
                                {"route", state_->label},
                                {"status", status},
                                {"peer", facts_.peer_address},
                                {"identity", request_.identity.name},
                                {"user_agent", request_.header("User-Agent")},
                                {"bytes_in", bytes_in_},
                                {"bytes_out", body_bytes},
                                {"seconds", seconds}});
}

}  // namespace binnacle::net
