// Asks a server the same queries over and over on one kept connection and tells the median time of
// each, request sent to answer read, and what the answer holds, so that a run can see that all
// servers answer the same. Queries come on standard input: NAME TAB instant|range TAB QUERY.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace {

[[noreturn]] void die(const std::string& message) {
  std::fprintf(stderr, "query_timer: %s\n", message.c_str());
  std::exit(1);
}

class Connection {
 public:
  explicit Connection(int port) : port_(port) {
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(port));
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof(to)) != 0)
      die(std::string("connect: ") + std::strerror(errno));
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  ~Connection() { ::close(socket_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  std::string post(const std::string& path, const std::string& form) {
    const std::string request = "POST " + path +
                                " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port_) +
                                "\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                                "Content-Length: " +
                                std::to_string(form.size()) + "\r\n\r\n" + form;
    std::string_view rest = request;
    while (!rest.empty()) {
      const ssize_t n = ::send(socket_, rest.data(), rest.size(), MSG_NOSIGNAL);
      if (n <= 0) die(std::string("send: ") + std::strerror(errno));
      rest.remove_prefix(static_cast<size_t>(n));
    }
    return read();
  }

 private:
  std::string read() {
    std::string in;
    size_t head_end = 0;
    while ((head_end = in.find("\r\n\r\n")) == std::string::npos) receive(in);
    std::string head = in.substr(0, head_end + 2);
    std::transform(head.begin(), head.end(), head.begin(), ::tolower);
    in.erase(0, head_end + 4);
    if (head.find("\r\ntransfer-encoding: chunked") != std::string::npos) return read_chunks(in);
    const size_t at = head.find("\r\ncontent-length: ");
    if (at == std::string::npos) die("an answer without a length");
    const size_t length = std::strtoul(head.c_str() + at + 18, nullptr, 10);
    while (in.size() < length) receive(in);
    return in;
  }

  std::string read_chunks(std::string& in) {
    std::string out;
    size_t at = 0;
    for (;;) {
      size_t line = 0;
      while ((line = in.find("\r\n", at)) == std::string::npos) receive(in);
      const size_t size = std::strtoul(in.c_str() + at, nullptr, 16);
      at = line + 2;
      while (in.size() < at + size + 2) receive(in);
      if (size == 0) return out;
      out.append(in, at, size);
      at += size + 2;
    }
  }

  void receive(std::string& in) {
    char piece[65536];
    const ssize_t n = ::recv(socket_, piece, sizeof(piece), 0);
    if (n <= 0) die("the server closed the connection");
    in.append(piece, static_cast<size_t>(n));
  }

  const int port_;
  int socket_ = -1;
};

std::string encoded(const std::string& text) {
  std::string out;
  char hex[4];
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      out += c;
    } else {
      std::snprintf(hex, sizeof(hex), "%%%02X", static_cast<unsigned char>(c));
      out += hex;
    }
  }
  return out;
}

struct Content {
  size_t series = 0;
  size_t points = 0;
  double sum = 0;       // of all values
  double peak_mib = 0;  // that the query held, where the answer has `stats`
};

// Every point of an answer is `[TIME,"VALUE"]`, whoever wrote it.
Content content_of(const std::string& answer) {
  if (answer.find("\"status\":\"success\"") == std::string::npos) die(answer.substr(0, 300));
  Content content;
  if (const size_t at = answer.find("\"peakSamples\":"); at != std::string::npos)
    content.peak_mib = std::strtod(answer.c_str() + at + 14, nullptr) * 16 / (1 << 20);
  for (size_t at = 0; (at = answer.find("\"metric\":", at)) != std::string::npos; ++at)
    ++content.series;
  for (size_t at = 0; (at = answer.find(",\"", at)) != std::string::npos; at += 2) {
    char* end = nullptr;
    const double value = std::strtod(answer.c_str() + at + 2, &end);
    if (end == answer.c_str() + at + 2 || std::strncmp(end, "\"]", 2) != 0) continue;
    ++content.points;
    if (std::isfinite(value)) content.sum += value;
  }
  return content;
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::string> flags = {{"--port", ""}, {"--start", ""}, {"--end", ""},
                                              {"--step", ""}, {"--extra", ""}, {"--runs", "20"}};
  for (int i = 1; i + 1 < argc; i += 2) {
    if (!flags.contains(argv[i])) die(std::string("unknown flag: ") + argv[i]);
    flags[argv[i]] = argv[i + 1];
  }
  Connection connection(std::atoi(flags["--port"].c_str()));
  for (std::string line; std::getline(std::cin, line);) {
    const size_t first = line.find('\t');
    const size_t second = line.find('\t', first + 1);
    if (second == std::string::npos) die("want NAME<TAB>instant|range<TAB>QUERY (" + line + ")");
    const bool instant = line.substr(first + 1, second - first - 1) == "instant";
    std::string form = "query=" + encoded(line.substr(second + 1)) + flags["--extra"];
    if (instant) {
      form += "&time=" + flags["--end"];
    } else {
      form += "&start=" + flags["--start"] + "&end=" + flags["--end"] + "&step=" + flags["--step"];
    }
    const std::string path = instant ? "/api/v1/query" : "/api/v1/query_range";
    const Content content = content_of(connection.post(path, form + "&stats=all"));
    std::vector<double> ms;
    for (int run = 0; run < std::atoi(flags["--runs"].c_str()); ++run) {
      const auto began = std::chrono::steady_clock::now();
      const std::string answer = connection.post(path, form);
      ms.push_back(
          std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began)
              .count());
    }
    std::sort(ms.begin(), ms.end());
    std::printf("%s %.3f %zu %zu %.10g %.1f\n", line.substr(0, first).c_str(), ms[ms.size() / 2],
                content.series, content.points, content.sum, content.peak_mib);
    std::fflush(stdout);
  }
}
