// Tells Binnacle how a part of your program is. One header, C++17, POSIX sockets, no dependencies:
//
//   binnacle::CheckClient binnacle("127.0.0.1", 8080, "KEY");   // a key of role ingest; "" for
//   none binnacle::CheckResult result; result.status = binnacle::CheckStatus::kDegraded;
//   result.message = "queue is 80 % full";
//   result.ttl_seconds = 30;                  // unknown when no other push comes within this time
//   std::string why;
//   if (!binnacle.push("trainer/queue", result, &why)) std::fprintf(stderr, "%s\n", why.c_str());
//
// push() blocks for at most the client's timeout and never throws but for memory. A client may be
// used by several threads at once. Plain HTTP: over a network that is not yours, go through a proxy
// that speaks TLS. What is sent: docs/health.md, "Pushed checks".
#pragma once

#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace binnacle {

enum class CheckStatus { kHealthy, kDegraded, kCritical, kFailed, kUnknown };

struct CheckResult {
  CheckStatus status = CheckStatus::kHealthy;
  std::string message;  // one line for people
  double value = NAN;   // what was measured; NAN: nothing
  std::string unit;     // of the value: "seconds", "bytes", "ratio"
  double ttl_seconds = 60;
  std::vector<std::string> evidence;  // what the status rests on
  // Used when this push makes the check.
  std::string component;
  std::string node;
  std::string criticality;  // "critical" (also when empty), "contributing", "informative"
};

class CheckClient {
 public:
  CheckClient(std::string host, uint16_t port, std::string key = "", int timeout_ms = 2000)
      : host_(std::move(host)), port_(port), key_(std::move(key)), timeout_ms_(timeout_ms) {}

  // False: not taken, and `why` says what to do about it.
  bool push(const std::string& check, const CheckResult& result, std::string* why = nullptr) const {
    const std::string body = json(result);
    std::string request = "POST /api/binnacle/v1/health/checks/" + encoded(check) +
                          "/result HTTP/1.1\r\nHost: " + host_ + ":" + std::to_string(port_) +
                          "\r\nContent-Type: application/json\r\nConnection: close\r\n";
    if (!key_.empty()) request += "Authorization: Bearer " + key_ + "\r\n";
    request += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    std::string response;
    std::string problem = exchange(request, response);
    // "HTTP/1.1 200 OK"
    if (problem.empty() && response.compare(0, 7, "HTTP/1.") != 0) problem = "no HTTP answer";
    if (problem.empty() && response.compare(9, 1, "2") == 0) return true;
    if (problem.empty())
      problem = "refused: " + response.substr(9, response.find('\r') - 9) + told(response);
    if (why != nullptr) *why = "push check " + check + " to " + host_ + ": " + problem;
    return false;
  }

 private:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr size_t kMaxResponse = 16384;

  struct Socket {
    int fd = -1;
    ~Socket() {
      if (fd >= 0) ::close(fd);
    }
  };

  static std::string told(const std::string& response) {
    const size_t body = response.find("\r\n\r\n");
    return body == std::string::npos ? "" : " " + response.substr(body + 4);
  }

  static std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\') {
        out += '\\';
        out += c;
      } else if (byte < 0x20) {
        char escape[8];
        std::snprintf(escape, sizeof escape, "\\u%04x", byte);
        out += escape;
      } else {
        out += c;
      }
    }
    return out + "\"";
  }

  static std::string encoded(const std::string& name) {
    std::string out;
    for (const char c : name) {
      const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                         (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
      char escape[8];
      std::snprintf(escape, sizeof escape, "%%%02X", static_cast<unsigned char>(c));
      out += plain ? std::string(1, c) : std::string(escape);
    }
    return out;
  }

  static std::string number(double value) {
    char text[40];
    std::snprintf(text, sizeof text, "%.17g", value);
    for (char* c = text; *c != 0; ++c) {
      if (*c == ',') *c = '.';  // of a locale that writes it so
    }
    return text;
  }

  static const char* name(CheckStatus status) {
    switch (status) {
      case CheckStatus::kHealthy:
        return "healthy";
      case CheckStatus::kDegraded:
        return "degraded";
      case CheckStatus::kCritical:
        return "critical";
      case CheckStatus::kFailed:
        return "failed";
      case CheckStatus::kUnknown:
        break;
    }
    return "unknown";
  }

  static std::string json(const CheckResult& result) {
    std::string out = "{\"status\":" + quoted(name(result.status)) +
                      ",\"message\":" + quoted(result.message) +
                      ",\"ttl\":" + number(result.ttl_seconds);
    if (std::isfinite(result.value)) out += ",\"value\":" + number(result.value);
    const std::pair<const char*, const std::string*> texts[] = {
        {"unit", &result.unit},
        {"component", &result.component},
        {"node", &result.node},
        {"criticality", &result.criticality}};
    for (const auto& text : texts) {
      if (!text.second->empty())
        out += std::string(",\"") + text.first + "\":" + quoted(*text.second);
    }
    out += ",\"evidence\":[";
    for (size_t i = 0; i < result.evidence.size(); ++i)
      out += (i == 0 ? "" : ",") + quoted(result.evidence[i]);
    return out + "]}";
  }

  // Waits until the socket is ready for `events`; false when the time is over.
  static bool wait(int fd, short events, Time end) {
    for (;;) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          end - std::chrono::steady_clock::now());
      if (left.count() <= 0) return false;
      pollfd one{fd, events, 0};
      const int ready = ::poll(&one, 1, static_cast<int>(left.count()));
      if (ready > 0) return true;
      if (ready < 0 && errno != EINTR) return false;
    }
  }

  // The first address that answers. "": connected.
  std::string dial(Socket& socket, Time end) const {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int error = ::getaddrinfo(host_.c_str(), std::to_string(port_).c_str(), &hints, &found);
    if (error != 0) return std::string("name not found: ") + ::gai_strerror(error);
    std::string problem = "no address";
    for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
      Socket tried;
      tried.fd = ::socket(at->ai_family, at->ai_socktype, at->ai_protocol);
      if (tried.fd < 0) continue;
      ::fcntl(tried.fd, F_SETFD, FD_CLOEXEC);
      ::fcntl(tried.fd, F_SETFL, O_NONBLOCK);
      int result = ::connect(tried.fd, at->ai_addr, at->ai_addrlen) == 0 ? 0 : errno;
      if (result == EINPROGRESS) {
        socklen_t size = sizeof result;
        result = ETIMEDOUT;
        if (wait(tried.fd, POLLOUT, end))
          ::getsockopt(tried.fd, SOL_SOCKET, SO_ERROR, &result, &size);
      }
      problem = std::string("connect: ") + std::strerror(result);
      if (result != 0) continue;
      std::swap(socket.fd, tried.fd);
      problem.clear();
      break;
    }
    ::freeaddrinfo(found);
    return problem;
  }

  // Sends all and reads up to the end. "": done.
  std::string exchange(const std::string& request, std::string& response) const {
    const Time end = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms_);
    Socket socket;
    const std::string problem = dial(socket, end);
    if (!problem.empty()) return problem;
    for (size_t sent = 0; sent < request.size();) {
      const ssize_t size =
          ::send(socket.fd, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
      if (size > 0) {
        sent += static_cast<size_t>(size);
      } else if ((errno != EAGAIN && errno != EINTR) || !wait(socket.fd, POLLOUT, end)) {
        return "the connection broke while sending";
      }
    }
    char piece[4096];
    while (response.size() < kMaxResponse) {
      if (!wait(socket.fd, POLLIN, end)) return "no answer in time";
      const ssize_t size = ::recv(socket.fd, piece, sizeof piece, 0);
      if (size > 0) {
        response.append(piece, static_cast<size_t>(size));
      } else if (size == 0 || (errno != EAGAIN && errno != EINTR)) {
        break;
      }
    }
    return "";
  }

  const std::string host_;
  const uint16_t port_;
  const std::string key_;
  const int timeout_ms_;
};

}  // namespace binnacle
