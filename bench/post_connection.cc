#include "post_connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace binnacle::bench {

void die(const std::string& message) {
  std::fprintf(stderr, "%s: %s\n", program_invocation_short_name, message.c_str());
  std::exit(1);
}

PostConnection::PostConnection(PostAddress address) : address_(std::move(address)) {
  socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(address_.port));
  inet_pton(AF_INET, address_.host.c_str(), &to.sin_addr);
  if (::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof(to)) != 0)
    die(std::string("connect: ") + std::strerror(errno));
  const int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

PostConnection::~PostConnection() { ::close(socket_); }

int PostConnection::post(const std::string& body) {
  const std::string head = "POST " + address_.path + " HTTP/1.1\r\nHost: " + address_.host + ":" +
                           std::to_string(address_.port) + "\r\n" + address_.headers +
                           "User-Agent: bench\r\nContent-Length: " + std::to_string(body.size()) +
                           "\r\n\r\n";
  send_all(head);
  send_all(body);
  return read_answer();
}

void PostConnection::send_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) die(std::string("send: ") + std::strerror(errno));
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

int PostConnection::read_answer() {
  std::string in;
  size_t head_end = std::string::npos;
  while ((head_end = in.find("\r\n\r\n")) == std::string::npos) receive(in);
  const std::string_view head = std::string_view(in).substr(0, head_end);
  size_t length = 0;
  for (const char* name : {"\r\nContent-Length: ", "\r\ncontent-length: "}) {
    if (const size_t at = head.find(name); at != std::string_view::npos)
      length = std::strtoul(head.data() + at + std::strlen(name), nullptr, 10);
  }
  while (in.size() < head_end + 4 + length) receive(in);
  answer_ = in.substr(head_end + 4);
  return std::atoi(in.c_str() + std::strlen("HTTP/1.1 "));
}

void PostConnection::receive(std::string& in) {
  char piece[4096];
  const ssize_t n = ::recv(socket_, piece, sizeof(piece), 0);
  if (n <= 0) die("the server closed the connection");
  in.append(piece, static_cast<size_t>(n));
}

}  // namespace binnacle::bench
