#include "net/server_test_client.h"

#include "base/check.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <stdexcept>
#include <thread>

namespace binnacle::net {

namespace {

constexpr int kReadTimeoutSeconds = 10;

int connect_unix(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("connect to " + path + ": " + std::strerror(errno));
  return fd;
}

int connect_loopback(const std::string& address, int receive_buffer_bytes) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (receive_buffer_bytes > 0)
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
    throw std::runtime_error("connect to " + address + ": " + std::strerror(errno));
  return fd;
}

}  // namespace

std::string RawResponse::header(std::string_view name) const {
  for (const auto& [field, value] : headers) {
    if (equal_ignoring_case(field, name)) return value;
  }
  return {};
}

RawClient::RawClient(const std::string& address, int receive_buffer_bytes)
    : fd_(address.starts_with("unix:") ? connect_unix(address.substr(5))
                                       : connect_loopback(address, receive_buffer_bytes)) {
  const timeval timeout{kReadTimeoutSeconds, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
}

RawClient::~RawClient() {
  if (fd_ >= 0) ::close(fd_);
}

bool RawClient::try_send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

void RawClient::send(std::string_view bytes) {
  if (!try_send(bytes)) throw std::runtime_error(std::string("send: ") + std::strerror(errno));
}

void RawClient::end_sending() { ::shutdown(fd_, SHUT_WR); }

void RawClient::reset() {
  const linger hard{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  ::close(std::exchange(fd_, -1));
}

bool RawClient::fill() {
  std::array<char, 65536> piece;
  const ssize_t got = ::recv(fd_, piece.data(), piece.size(), 0);
  if (got < 0 && errno != ECONNRESET)
    throw std::runtime_error(std::string("recv: ") + std::strerror(errno));
  if (got <= 0) return false;
  buffer_.append(piece.data(), static_cast<size_t>(got));
  return true;
}

std::string RawClient::read_until(std::string_view mark) {
  size_t at;
  while ((at = buffer_.find(mark)) == std::string::npos) {
    if (!fill())
      throw std::runtime_error("the connection ended before \"" + std::string(mark) +
                               "\": " + buffer_);
  }
  return take(at + mark.size());
}

std::string RawClient::take_line() {
  std::string line = read_until("\r\n");
  line.resize(line.size() - 2);
  return line;
}

std::string RawClient::take(size_t bytes) {
  while (buffer_.size() < bytes) {
    if (!fill()) throw std::runtime_error("the connection ended within a body");
  }
  std::string taken = buffer_.substr(0, bytes);
  buffer_.erase(0, bytes);
  return taken;
}

RawResponse RawClient::read_response(bool to_head) {
  RawResponse response;
  const std::string status_line = take_line();
  if (!status_line.starts_with("HTTP/1.1 "))
    throw std::runtime_error("no status line: " + status_line);
  response.status = std::stoi(status_line.substr(9));
  for (std::string line = take_line(); !line.empty(); line = take_line()) {
    const size_t colon = line.find(": ");
    response.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
  }
  if (to_head || response.status == 204 || response.status == 304 || response.status < 200)
    return response;
  if (response.header("Transfer-Encoding") == "chunked") {
    while (const size_t size = std::stoul(take_line(), nullptr, 16)) {
      response.body += take(size);
      if (take_line() != "") throw std::runtime_error("a chunk does not end in CR LF");
    }
    take_line();
  } else if (const std::string length = response.header("Content-Length"); !length.empty()) {
    response.body = take(std::stoul(length));
  } else {
    response.body = read_to_end();
  }
  return response;
}

std::string RawClient::read_some() {
  if (buffer_.empty()) fill();
  return std::exchange(buffer_, {});
}

std::string RawClient::read_to_end() {
  while (fill()) {
  }
  return std::exchange(buffer_, {});
}

bool RawClient::at_end() { return buffer_.empty() && !fill(); }

bool RawClient::readable() {
  pollfd wanted{fd_, POLLIN, 0};
  return !buffer_.empty() || ::poll(&wanted, 1, 0) > 0;
}

RawResponse RawClient::get(std::string_view target, std::string_view extra_headers) {
  send("GET " + std::string(target) + " HTTP/1.1\r\nHost: t\r\n" + std::string(extra_headers) +
       "\r\n");
  return read_response();
}

TestServer::TestServer(std::vector<Route> routes, TestServerOptions options)
    : io_(options.io_threads), pool_("test", options.pool_threads, options.pool_queue) {
  for (Route& route : routes) CHECK(router_.add(std::move(route)).has_value());
  const Clock& clock = options.clock != nullptr ? *options.clock : system_clock_;
  server_ = std::make_unique<Server>(io_, router_, options.guard, pool_, registry_, clock,
                                     options.limits);
  ListenerOptions listener;
  listener.address = options.address;
  listener.groups = options.groups;
  listener.tls = options.tls;
  CHECK(server_->listen(listener).has_value());
  server_->start();
  io_.start();
  address_ = server_->addresses().front();
}

TestServer::~TestServer() { server_->stop(std::chrono::milliseconds(0)); }

double TestServer::metric(std::string_view name, InstrumentLabels labels) {
  double found = std::numeric_limits<double>::quiet_NaN();
  registry_.visit([&](std::string_view at,
                      std::span<const std::pair<std::string, std::string>> at_labels,
                      double value) {
    if (at == name && std::equal(labels.begin(), labels.end(), at_labels.begin(), at_labels.end()))
      found = value;
  });
  return found;
}

Route test_route(Method method, std::string pattern, Handler handler, RunOn run_on,
                 RouteLimits limits) {
  Route route;
  route.method = method;
  route.pattern = std::move(pattern);
  route.role = Role::kPublic;
  route.handler = std::move(handler);
  route.run_on = run_on;
  route.limits = limits;
  return route;
}

Route test_stream(Method method, std::string pattern, StreamHandler handler, RouteLimits limits) {
  Route route = test_route(method, std::move(pattern), Handler(), RunOn::kIoThread, limits);
  route.handler = std::move(handler);
  return route;
}

Route hello_route() {
  return test_route(Method::kGet, "/hello",
                    [](const Request&) { return Response::text(200, "hello"); });
}

Route echo_route() {
  return test_route(Method::kPost, "/echo", [](const Request& request) {
    return Response::text(200, std::string(request.body));
  });
}

size_t open_descriptors() {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    ++count;
  return count;
}

bool eventually(const std::function<bool()>& condition) {
  const int64_t end_ms = SystemClock().monotonic_ms() + 10'000;
  while (!condition()) {
    if (SystemClock().monotonic_ms() > end_ms) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace binnacle::net
