// Logging in at an SMTP server (RFC 4954): PLAIN (RFC 4616), LOGIN, CRAM-MD5 (RFC 2195).
#pragma once

#include <boost/asio/awaitable.hpp>

#include <string>
#include <string_view>

#include "base/error.h"
#include "net/smtp_client.h"
#include "net/smtp_dialogue.h"

namespace binnacle::net {

bool is_this_machine(std::string_view host);

// `mechanisms`: as the server lists them, in its order. PLAIN is refused where the connection is
// not `trusted` (TLS, or this machine). kFailedPrecondition: no mechanism fits, or a refusal.
boost::asio::awaitable<Status> log_in(SmtpDialogue& dialogue, const SmtpLogin& login,
                                      std::string mechanisms, bool trusted);

}  // namespace binnacle::net
