// What a client request looks like on the wire, and what the next one is after a redirect. Pure
// functions.
#pragma once

#include "base/error.h"
#include "net/client.h"

#include <string>
#include <string_view>

namespace binnacle::net {

// "Basic ..." of RFC 7617.
std::string basic_credentials(std::string_view user, std::string_view password);

// Request line and headers up to the empty line. `absolute`: in the form that a proxy takes.
// kInvalidArgument for a header that would break the framing.
Result<std::string> request_head(const ClientRequest& request, const Url& url, bool absolute,
                                 std::string_view proxy_credentials);

// CONNECT for a tunnel to `url`'s host.
std::string connect_request(const Url& url, std::string_view proxy_credentials);

bool is_redirect(int status, const Headers& headers);
// Where a redirect of `from` leads; turns `request` into the next one (RFC 9110, 15.4). Credentials
// go no further than the origin that they were meant for.
Result<Url> redirect(ClientRequest& request, const Url& from, int status,
                     std::string_view location);

}  // namespace binnacle::net
