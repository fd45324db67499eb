#include "net/probe_listener.h"

#include "base/mutex.h"
#include "net/deadline.h"
#include "net/listen_address.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <fcntl.h>

#include <algorithm>
#include <utility>

namespace binnacle::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds kAcceptPause{100};   // after a failure, as without descriptors
constexpr std::chrono::milliseconds kQuestionTime{100};  // many ask nothing
constexpr std::chrono::milliseconds kAnswerTime{2'000};
constexpr size_t kMaxQuestion = 256;
constexpr int kMaxTalks = 256;

}  // namespace

struct ProbeListener::State {
  State(asio::io_context& context, Answer a)
      : answers(a != nullptr), acceptor(context), answer(std::move(a)) {}

  error_code bind(const tcp::endpoint& endpoint) {
    error_code error;
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
    if (!error && endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only(false), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (!error) ::fcntl(acceptor.native_handle(), F_SETFD, FD_CLOEXEC);
    return error;
  }

  static asio::awaitable<void> accept_all(std::shared_ptr<State> state) {
    asio::steady_timer pause(state->acceptor.get_executor());
    while (state->acceptor.is_open()) {
      auto [error, socket] = co_await state->acceptor.async_accept(kAwait);
      if (error == asio::error::operation_aborted) co_return;
      if (!error && state->answers && state->talks < kMaxTalks) {
        ++state->talks;
        asio::co_spawn(state->acceptor.get_executor(), talk(state, std::move(socket)),
                       asio::detached);
      }
      if (!error) continue;
      pause.expires_after(kAcceptPause);
      co_await pause.async_wait(kAwait);
    }
  }

  static asio::awaitable<void> talk(std::shared_ptr<State> state, tcp::socket socket) {
    std::string asked;
    {
      const Deadline deadline(socket.get_executor(), kQuestionTime, [&socket] { socket.cancel(); });
      co_await asio::async_read_until(socket, asio::dynamic_buffer(asked, kMaxQuestion), '\n',
                                      kAwait);
    }
    asked.resize(std::min(asked.find_first_of("\r\n"), asked.size()));
    const std::string text = state->answer_to(asked);
    const Deadline deadline(socket.get_executor(), kAnswerTime, [&socket] { socket.cancel(); });
    co_await asio::async_write(socket, asio::buffer(text), kAwait);
    error_code ignored;
    socket.shutdown(tcp::socket::shutdown_send, ignored);
    --state->talks;
  }

  std::string answer_to(std::string_view asked) EXCLUDES(mu) {
    const MutexLock lock(mu);
    return answer ? answer(asked) : std::string();
  }

  const bool answers;  // Fixed after construction

  // Executor only
  tcp::acceptor acceptor;
  int talks = 0;

  Mutex mu;  // held over an answer: none is given once the listener has gone
  Answer answer GUARDED_BY(mu);
};

Result<std::unique_ptr<ProbeListener>> ProbeListener::open(asio::io_context& context,
                                                           const std::string& address,
                                                           Answer answer) {
  TRY_ASSIGN(const ListenAddress parsed, ListenAddress::parse(address));
  error_code error;
  const bool all = parsed.host.empty();
  const auto host = all ? asio::ip::address(asio::ip::address_v6::any())
                        : asio::ip::make_address(parsed.host, error);
  if (error || !parsed.unix_path.empty()) {
    return fail(Code::kInvalidArgument,
                "listen on " + address + ": write :port, or an address and a port");
  }
  auto state = std::make_shared<State>(context, answer);
  error = state->bind({host, parsed.port});
  // A machine without IPv6.
  if (error && all) {
    state = std::make_shared<State>(context, std::move(answer));
    error = state->bind({asio::ip::address_v4::any(), parsed.port});
  }
  if (error) {
    return fail(Code::kFailedPrecondition, "listen on " + address + ": " + error.message());
  }
  asio::co_spawn(context, State::accept_all(state), asio::detached);
  return std::unique_ptr<ProbeListener>(new ProbeListener(std::move(state)));
}

ProbeListener::ProbeListener(std::shared_ptr<State> state) : state_(std::move(state)) {}

ProbeListener::~ProbeListener() {
  {
    const MutexLock lock(state_->mu);
    state_->answer = nullptr;
  }
  asio::post(state_->acceptor.get_executor(), [state = state_] {
    error_code ignored;
    state->acceptor.close(ignored);
  });
}

std::string ProbeListener::address() const {
  error_code ignored;
  const tcp::endpoint bound = state_->acceptor.local_endpoint(ignored);
  const std::string host = bound.address().is_unspecified() ? "" : bound.address().to_string();
  return host.empty() ? ":" + std::to_string(bound.port()) : format_host_port(host, bound.port());
}

}  // namespace binnacle::net
