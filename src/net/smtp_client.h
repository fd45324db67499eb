// Hands one mail to an SMTP server (RFC 5321): STARTTLS (RFC 3207) or TLS from the first byte,
// AUTH PLAIN, LOGIN or CRAM-MD5. A connection for each mail. Runs on the calling coroutine's
// executor; ends in time whatever the server does.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file_system.h"
#include "net/dial.h"
#include "net/tls.h"

namespace binnacle::net {

struct SmtpServer {
  HostPort address;
  bool implicit_tls = false;  // TLS from the first byte, as on port 465
  bool require_tls = true;    // else STARTTLS, or no mail; false: plain text
  TlsClientOptions tls;
  std::string hello = "localhost";  // our name in EHLO
};

// The first mechanism of the server's list that there is a secret for is used; where the server
// offers none, mail goes without.
struct SmtpLogin {
  std::string username;  // empty: no login
  std::string identity;  // of PLAIN
  std::string password;  // of PLAIN and LOGIN
  std::string secret;    // of CRAM-MD5
};

struct Mail {
  std::string from;             // bare addresses: "a@b"
  std::vector<std::string> to;  // all or none: one that is refused fails the mail
  std::string text;             // header and body, lines end in CRLF
};

// Errors: kInvalidArgument (an address or name that would break the dialogue), kUnavailable (the
// network, or a 4xx reply), kFailedPrecondition (a 5xx reply, TLS or a login not to be had),
// kUnauthenticated (TLS verification), kDeadlineExceeded, kDataLoss (not SMTP). A message holds the
// server's reply, never a credential.
boost::asio::awaitable<Status> send_mail(SmtpServer server, SmtpLogin login, Mail mail,
                                         FileSystem& files, std::chrono::milliseconds timeout);

}  // namespace binnacle::net
