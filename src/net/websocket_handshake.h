// The opening handshake of RFC 6455 and the offer of permessage-deflate (RFC 7692), as text in and
// text out: no sockets here. The server asks for an answer before it gives up its transport; the
// client makes its request and checks the answer.
#pragma once

#include "base/error.h"
#include "net/http.h"

#include <optional>
#include <string>
#include <string_view>

namespace binnacle::net {

// What both sides agreed on about permessage-deflate. `own` is the direction that this side
// compresses.
struct DeflateParameters {
  bool own_context_takeover = true;
  bool peer_context_takeover = true;
  int own_window_bits = 15;  // 9..15
};

struct WebSocketAnswer {
  std::string response_head;  // "HTTP/1.1 101 ..." up to the empty line
  std::optional<DeflateParameters> deflate;
};

// For the server. kInvalidArgument says what is wrong with an upgrade request (400),
// kFailedPrecondition: a version other than 13 (426 with Sec-WebSocket-Version: 13). Chooses no
// subprotocol.
Result<WebSocketAnswer> answer_websocket_upgrade(const Request& request);
// An upgrade is asked for: "Upgrade: websocket" with "Connection: upgrade".
bool is_websocket_upgrade(const Request& request);

// For the client. `nonce` is 16 random bytes.
std::string websocket_key(std::string_view nonce);
std::string websocket_accept_value(std::string_view key);
void add_websocket_upgrade(Headers& headers, std::string_view key);
Result<std::optional<DeflateParameters>> check_websocket_answer(int status, const Headers& headers,
                                                                std::string_view key);

}  // namespace binnacle::net
