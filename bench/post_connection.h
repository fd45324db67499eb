// One kept HTTP/1.1 connection that posts bodies, on plain sockets: a load must cost less than what
// it loads. Ends the program when the connection breaks. One thread.
#pragma once

#include <string>
#include <string_view>

namespace binnacle::bench {

struct PostAddress {
  std::string host = "127.0.0.1";
  int port = 0;
  std::string path = "/api/v1/write";
  std::string headers =
      "Content-Type: application/x-protobuf\r\nContent-Encoding: snappy\r\n"
      "X-Prometheus-Remote-Write-Version: 0.1.0\r\n";
};

[[noreturn]] void die(const std::string& message);

class PostConnection {
 public:
  explicit PostConnection(PostAddress address);
  ~PostConnection();
  PostConnection(const PostConnection&) = delete;
  PostConnection& operator=(const PostConnection&) = delete;

  // The answer's status; its body is in answer().
  int post(const std::string& body);
  const std::string& answer() const { return answer_; }

 private:
  void send_all(std::string_view bytes);
  int read_answer();
  void receive(std::string& in);

  const PostAddress address_;
  int socket_ = -1;
  std::string answer_;
};

}  // namespace binnacle::bench
