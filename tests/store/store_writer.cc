// Writes to a server that may be killed at any moment, remembers what was acknowledged, and holds
// what the server gives back against that. 10,000 series in five groups; a request brings one
// sample of each series of a group, all at one time, with values that follow from series and time.
// Driven by lines on standard input: `count` prints the samples acknowledged so far, `refusals` the
// answers other than success with the last one's text, `verify` stops writing, reads back what came
// since the last verify (`verify all`: everything) and prints "ok ..." or "bad ...", then goes on.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <snappy.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <mutex>
#include <protozero/pbf_writer.hpp>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace binnacle::tests {
namespace {

constexpr size_t kGroups = 5;
constexpr size_t kSeriesPerGroup = 2000;
constexpr int64_t kStepMs = 20;
// Of each of two threads: 500,000 samples a second together, so that sample time goes no faster
// than time does.
constexpr auto kPace = std::chrono::milliseconds(8);
constexpr int64_t kBehindMs = 600'000;  // room for a writer that is faster than time

int64_t wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

int64_t value_of(size_t group, size_t series, size_t step) {
  return static_cast<int64_t>((group * 1'000'003 + series * 7919 + step * 104'729) % 1'000'000'007);
}

// One HTTP/1.1 connection; false from any call means that it is broken.
class Connection {
 public:
  ~Connection() { close(); }

  bool open(int port) {
    close();
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return ::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0;
  }

  bool ask(const std::string& head, std::string_view body, int& status, std::string& answer) {
    return send_all(head) && send_all(body) && read_answer(status, answer);
  }

 private:
  void close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }
  bool send_all(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }
  bool receive(std::string& in) {
    std::vector<char> piece(1 << 16);
    const ssize_t n = ::recv(socket_, piece.data(), piece.size(), 0);
    if (n <= 0) return false;
    in.append(piece.data(), static_cast<size_t>(n));
    return true;
  }
  bool read_answer(int& status, std::string& answer) {
    std::string in;
    size_t head_end = 0;
    while ((head_end = in.find("\r\n\r\n")) == std::string::npos) {
      if (!receive(in)) return false;
    }
    size_t length = 0;
    for (const char* name : {"\r\nContent-Length: ", "\r\ncontent-length: "}) {
      if (const size_t at = in.find(name); at < head_end)
        length = std::strtoul(in.c_str() + at + std::strlen(name), nullptr, 10);
    }
    while (in.size() < head_end + 4 + length) {
      if (!receive(in)) return false;
    }
    status = std::atoi(in.c_str() + std::strlen("HTTP/1.1 "));
    answer = in.substr(head_end + 4, length);
    return true;
  }

  int socket_ = -1;
};

enum class Fate : uint8_t { kUnsent, kUnknown, kAcknowledged };

class Writer {
 public:
  explicit Writer(int port) : port_(port), base_ms_(wall_ms() - kBehindMs) {
    for (size_t g = 0; g < kGroups; ++g) write_labels(g);
  }

  // Group after group, time after time; `which` of two threads.
  void write(size_t which) {
    Connection connection;
    bool open = false;
    auto next = std::chrono::steady_clock::now();
    for (size_t step = 0;; ++step) {
      for (size_t g = which; g < kGroups; g += 2) {
        next = std::max(next + kPace, std::chrono::steady_clock::now());
        std::this_thread::sleep_until(next);
        const std::string body = body_of(g, step);
        for (int tries = 0;; ++tries) {
          wait_while_paused(which);
          if (!open && !(open = connection.open(port_))) {
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
            --tries;
            continue;
          }
          int status = 0;
          std::string answer;
          set(g, step, Fate::kUnknown);
          open = connection.ask(post_head(body.size()), body, status, answer);
          if (open && status / 100 == 2) {
            set(g, step, Fate::kAcknowledged);
            acknowledged_ += kSeriesPerGroup;
            break;
          }
          if (open) note_refusal(status, answer);
          // Every other batch whose fate is unknown stays so.
          if (!open && tries == 0 && step % 2 == 0) break;
          std::this_thread::sleep_for(std::chrono::milliseconds(open ? 20 : 1));
        }
      }
    }
  }

  uint64_t acknowledged() const { return acknowledged_; }
  std::string refusals() {
    std::lock_guard lock(mu_);
    return std::to_string(refused_) + " " + last_refusal_;
  }

  std::string verify(bool all) {
    paused_ = true;
    while (resting_[0] + resting_[1] < 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::string out;
    uint64_t samples = 0;
    for (size_t g = 0; g < kGroups && out.empty(); ++g) out = verify_group(g, all, samples);
    if (out.empty()) {
      for (size_t g = 0; g < kGroups; ++g) verified_[g] = fates_[g].size();
      out = "ok " + std::to_string(samples);
    } else {
      out = "bad " + out;
    }
    paused_ = false;
    return out;
  }

 private:
  void wait_while_paused(size_t which) {
    resting_[which] = paused_ ? 1 : 0;
    while (paused_) {
      resting_[which] = 1;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    resting_[which] = 0;
  }
  void set(size_t group, size_t step, Fate fate) {
    std::lock_guard lock(mu_);
    if (fates_[group].size() <= step) fates_[group].resize(step + 1);
    if (fates_[group][step] < fate) fates_[group][step] = fate;
  }
  void note_refusal(int status, const std::string& answer) {
    std::lock_guard lock(mu_);
    ++refused_;
    last_refusal_ = std::to_string(status) + " " + answer.substr(0, 300);
    for (char& c : last_refusal_) c = c == '\n' ? ' ' : c;
  }

  std::string head(const std::string& what) const {
    return what + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port_) + "\r\n";
  }
  std::string post_head(size_t size) const {
    return head("POST /api/v1/write") +
           "Content-Type: application/x-protobuf\r\nContent-Encoding: snappy\r\n"
           "X-Prometheus-Remote-Write-Version: 0.1.0\r\nContent-Length: " +
           std::to_string(size) + "\r\n\r\n";
  }

  void write_labels(size_t group) {
    for (size_t i = 0; i < kSeriesPerGroup; ++i) {
      std::string fields;
      const auto add = [&](const char* name, const std::string& value) {
        std::string bytes;
        protozero::pbf_writer label(bytes);
        label.add_string(1, name);
        label.add_string(2, value);
        protozero::pbf_writer(fields).add_message(1, bytes);
      };
      add("__name__", "written");
      add("group", std::to_string(group));
      add("n", std::to_string(i));
      labels_[group].push_back(std::move(fields));
    }
  }

  std::string body_of(size_t group, size_t step) const {
    std::string raw, series, sample;
    protozero::pbf_writer request(raw);
    for (size_t i = 0; i < kSeriesPerGroup; ++i) {
      series = labels_[group][i];
      sample.clear();
      protozero::pbf_writer pair(sample);
      pair.add_double(1, static_cast<double>(value_of(group, i, step)));
      pair.add_int64(2, base_ms_ + static_cast<int64_t>(step) * kStepMs);
      protozero::pbf_writer(series).add_message(2, sample);
      request.add_message(1, series);
    }
    std::string out;
    snappy::Compress(raw.data(), raw.size(), &out);
    return out;
  }

  // Empty: all is as it should be.
  std::string verify_group(size_t group, bool all, uint64_t& samples) {
    const std::vector<Fate>& fates = fates_[group];
    const size_t first = all ? 0 : verified_[group];
    std::vector<uint32_t> found(fates.size());
    // A piece at a time: an answer has a largest size.
    constexpr size_t kPiece = 2000;
    for (size_t from = first; from < fates.size(); from += kPiece) {
      const size_t to = std::min(from + kPiece, fates.size()) - 1;
      Connection connection;
      int status = 0;
      std::string answer;
      const std::string path = "GET /api/binnacle/v1/export?match%5B%5D=%7Bgroup%3D%22" +
                               std::to_string(group) + "%22%7D&start=" + seconds(from) +
                               "&end=" + seconds(to);
      if (!connection.open(port_) || !connection.ask(head(path) + "\r\n", "", status, answer))
        return "no answer to an export";
      if (status != 200) return "export: " + std::to_string(status) + " " + answer.substr(0, 300);
      for (std::string_view rest = answer; !rest.empty();) {
        const size_t end = rest.find('\n');
        if (auto wrong = check_line(group, rest.substr(0, end), found, samples); !wrong.empty())
          return wrong;
        rest.remove_prefix(std::min(end, rest.size() - 1) + 1);
      }
    }
    for (size_t step = first; step < fates.size(); ++step) {
      const bool whole = found[step] == kSeriesPerGroup;
      if (fates[step] == Fate::kAcknowledged ? whole : (whole || found[step] == 0)) continue;
      return "group " + std::to_string(group) + " step " + std::to_string(step) + " of " +
             std::to_string(fates.size()) +
             (fates[step] == Fate::kAcknowledged ? ", acknowledged" : ", not acknowledged") +
             ": samples of " + std::to_string(found[step]) + " series";
    }
    return {};
  }

  std::string check_line(size_t group, std::string_view line, std::vector<uint32_t>& found,
                         uint64_t& samples) const {
    const auto after = [&](std::string_view key) {
      const size_t at = line.find(key);
      return at == std::string_view::npos ? line.substr(line.size()) : line.substr(at + key.size());
    };
    const size_t series =
        std::strtoul(std::string(after("\"n\":\"").substr(0, 8)).c_str(), nullptr, 10);
    std::string_view values = after("\"values\":["), times = after("\"timestamps\":[");
    int64_t before_ms = 0;
    while (!times.empty() && times.front() != ']') {
      double value = 0;
      int64_t at_ms = 0;
      const auto v = std::from_chars(values.data(), values.data() + values.size(), value);
      const auto t = std::from_chars(times.data(), times.data() + times.size(), at_ms);
      if (v.ec != std::errc() || t.ec != std::errc()) return "a line that is no export";
      values.remove_prefix(static_cast<size_t>(v.ptr - values.data()) + 1);
      times.remove_prefix(static_cast<size_t>(t.ptr - times.data()));
      if (times.starts_with(",")) times.remove_prefix(1);
      const int64_t since_ms = at_ms - base_ms_;
      const auto step = static_cast<size_t>(since_ms / kStepMs);
      if (since_ms < 0 || since_ms % kStepMs != 0 || step >= found.size() ||
          fates_[group][step] == Fate::kUnsent || at_ms <= before_ms)
        return "a sample at a time that was never sent: " + std::to_string(at_ms);
      if (value != static_cast<double>(value_of(group, series, step)))
        return "series " + std::to_string(series) + " step " + std::to_string(step) +
               ": another value than was sent";
      before_ms = at_ms;
      ++found[step];
      ++samples;
    }
    return {};
  }

  std::string seconds(size_t step) const {
    char text[40];
    const int64_t ms = base_ms_ + static_cast<int64_t>(step) * kStepMs;
    std::snprintf(text, sizeof(text), "%lld.%03lld", static_cast<long long>(ms / 1000),
                  static_cast<long long>(ms % 1000));
    return text;
  }

  const int port_;
  const int64_t base_ms_;
  std::vector<std::string> labels_[kGroups];
  std::mutex mu_;
  std::vector<Fate> fates_[kGroups];
  size_t verified_[kGroups] = {};
  uint64_t refused_ = 0;
  std::string last_refusal_;
  std::atomic<uint64_t> acknowledged_ = 0;
  std::atomic<bool> paused_ = false;
  std::atomic<int> resting_[2] = {0, 0};
};

int run(int port) {
  Writer writer(port);
  for (size_t i = 0; i < 2; ++i) std::thread([&writer, i] { writer.write(i); }).detach();
  std::string line;
  while (std::getline(std::cin, line)) {
    if (line == "count") std::cout << writer.acknowledged() << std::endl;
    if (line == "refusals") std::cout << writer.refusals() << std::endl;
    if (line.starts_with("verify")) std::cout << writer.verify(line == "verify all") << std::endl;
  }
  std::_Exit(0);
}

}  // namespace
}  // namespace binnacle::tests

int main(int argc, char** argv) { return argc == 2 ? binnacle::tests::run(std::atoi(argv[1])) : 2; }
