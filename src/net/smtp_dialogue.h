// Commands and replies of SMTP over a Transport (RFC 5321, 4.2). Replies are bounded in size. One
// coroutine at a time.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "net/transport.h"

namespace binnacle::net {

struct SmtpReply {
  int code = 0;                    // 200 to 599
  std::vector<std::string> lines;  // without the code

  // As an error: 4xx is kUnavailable, all else kFailedPrecondition.
  Error refusal() const;
};

// What an answer to EHLO offers. Keywords compare without case.
class SmtpExtensions {
 public:
  SmtpExtensions() = default;
  explicit SmtpExtensions(const SmtpReply& hello);
  bool has(std::string_view keyword) const;
  std::string of(std::string_view keyword) const;  // its parameters; "" when absent

 private:
  std::vector<std::string> lines_;
};

class SmtpDialogue {
 public:
  explicit SmtpDialogue(std::unique_ptr<Transport> transport) : transport_(std::move(transport)) {}

  // An empty command only reads. kUnavailable: the connection broke; kDataLoss: not SMTP.
  boost::asio::awaitable<Result<SmtpReply>> ask(std::string command);
  boost::asio::awaitable<void> say(std::string command);
  bool has_more() const { return !read_.empty(); }  // bytes that nobody asked for yet
  Transport& transport() { return *transport_; }

 private:
  boost::asio::awaitable<Result<std::string>> read_line();

  const std::unique_ptr<Transport> transport_;
  std::string read_;
};

}  // namespace binnacle::net
