#include "net/websocket_handshake.h"

#include "base/check.h"
#include "net/base64.h"
#include "net/field_value.h"

#include <openssl/evp.h>

#include <array>
#include <charconv>

namespace binnacle::net {
namespace {

constexpr std::string_view kAcceptSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455, 1.3
constexpr size_t kNonceBytes = 16;
constexpr std::string_view kDeflateName = "permessage-deflate";

// All values of a header as one list, which is what standing more than once means.
std::string joined(const Request& request, std::string_view name) {
  std::string all;
  for (const HeaderView& field : request.headers) {
    if (!equal_ignoring_case(field.name, name)) continue;
    if (!all.empty()) all += ',';
    all += field.value;
  }
  return all;
}

std::optional<int> window_bits(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
    text = text.substr(1, text.size() - 2);
  int bits = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
  if (error != std::errc{} || end != text.data() + text.size() || bits < 8 || bits > 15)
    return std::nullopt;
  return bits;
}

struct Extension {
  std::string_view name;
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  std::optional<int> server_max_window_bits;
  bool client_max_window_bits_named = false;
  std::optional<int> client_max_window_bits;
};

// nullopt for another extension, an unknown parameter or a broken value: such an element is not
// agreed to.
std::optional<Extension> parse_deflate(std::string_view element) {
  Extension extension;
  extension.name = take_element(element, ';');
  if (!equal_ignoring_case(extension.name, kDeflateName)) return std::nullopt;
  while (!element.empty()) {
    std::string_view value = take_element(element, ';');
    const std::string_view name = take_element(value, '=');
    value = trim_field(value);
    if (name == "server_no_context_takeover") {
      extension.server_no_context_takeover = true;
    } else if (name == "client_no_context_takeover") {
      extension.client_no_context_takeover = true;
    } else if (name == "server_max_window_bits") {
      extension.server_max_window_bits = window_bits(value);
      if (!extension.server_max_window_bits) return std::nullopt;
    } else if (name == "client_max_window_bits") {
      extension.client_max_window_bits_named = true;
      extension.client_max_window_bits = window_bits(value);
      if (!value.empty() && !extension.client_max_window_bits) return std::nullopt;
    } else {
      return std::nullopt;
    }
  }
  return extension;
}

// zlib cannot compress raw data with a window of 8 bits: it silently takes 9, which the peer may
// not.
bool can_compress(std::optional<int> bits) { return bits.value_or(15) >= 9; }

std::optional<Extension> choose_offer(std::string_view offers) {
  while (!offers.empty()) {
    const auto offer = parse_deflate(take_element(offers, ','));
    if (offer && can_compress(offer->server_max_window_bits)) return offer;
  }
  return std::nullopt;
}

std::string describe(const Extension& agreed) {
  std::string line = "Sec-WebSocket-Extensions: permessage-deflate";
  if (agreed.server_no_context_takeover) line += "; server_no_context_takeover";
  if (agreed.client_no_context_takeover) line += "; client_no_context_takeover";
  if (agreed.server_max_window_bits) {
    line += "; server_max_window_bits=" + std::to_string(*agreed.server_max_window_bits);
  }
  return line + "\r\n";
}

}  // namespace

bool is_websocket_upgrade(const Request& request) {
  return field_list_has(joined(request, "Upgrade"), "websocket") &&
         field_list_has(joined(request, "Connection"), "upgrade");
}

Result<WebSocketAnswer> answer_websocket_upgrade(const Request& request) {
  if (!is_websocket_upgrade(request)) {
    return fail(Code::kInvalidArgument,
                "WebSocket upgrade: not asked for (needs Upgrade: websocket and "
                "Connection: Upgrade)");
  }
  if (request.method != Method::kGet)
    return fail(Code::kInvalidArgument, "WebSocket upgrade: must be a GET");
  if (trim_field(request.header("Sec-WebSocket-Version")) != "13") {
    return fail(Code::kFailedPrecondition, "WebSocket upgrade: only version 13 is spoken here");
  }
  const std::string_view key = trim_field(request.header("Sec-WebSocket-Key"));
  if (key.size() != 24 || !key.ends_with("==")) {
    return fail(Code::kInvalidArgument,
                "WebSocket upgrade: Sec-WebSocket-Key must be 16 bytes in base64");
  }
  WebSocketAnswer answer;
  answer.response_head =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: " +
      websocket_accept_value(key) + "\r\n";
  if (const auto offer = choose_offer(joined(request, "Sec-WebSocket-Extensions"))) {
    answer.response_head += describe(*offer);
    answer.deflate =
        DeflateParameters{.own_context_takeover = !offer->server_no_context_takeover,
                          .peer_context_takeover = !offer->client_no_context_takeover,
                          .own_window_bits = offer->server_max_window_bits.value_or(15)};
  }
  answer.response_head += "\r\n";
  return answer;
}

std::string websocket_key(std::string_view nonce) {
  CHECK(nonce.size() == kNonceBytes);
  return encode_base64(nonce);
}

std::string websocket_accept_value(std::string_view key) {
  const std::string text = std::string(key) + std::string(kAcceptSuffix);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  size_t size = 0;
  CHECK(EVP_Q_digest(nullptr, "SHA1", nullptr, text.data(), text.size(), digest.data(), &size) ==
        1);
  return encode_base64({reinterpret_cast<const char*>(digest.data()), size});
}

void add_websocket_upgrade(Headers& headers, std::string_view key) {
  headers.set("Upgrade", "websocket");
  headers.set("Connection", "Upgrade");
  headers.set("Sec-WebSocket-Version", "13");
  headers.set("Sec-WebSocket-Key", key);
  headers.set("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits");
}

Result<std::optional<DeflateParameters>> check_websocket_answer(int status, const Headers& headers,
                                                                std::string_view key) {
  if (status != 101) {
    const Code code = status == 401   ? Code::kUnauthenticated
                      : status == 403 ? Code::kPermissionDenied
                                      : Code::kUnavailable;
    return fail(code, "WebSocket upgrade: refused (status " + std::to_string(status) + ")");
  }
  if (!field_list_has(headers.get("Upgrade"), "websocket") ||
      !field_list_has(headers.get("Connection"), "upgrade") ||
      trim_field(headers.get("Sec-WebSocket-Accept")) != websocket_accept_value(key)) {
    return fail(Code::kUnavailable, "WebSocket upgrade: the answer is not a WebSocket server's");
  }
  const std::string_view extensions = trim_field(headers.get("Sec-WebSocket-Extensions"));
  if (extensions.empty()) return std::nullopt;
  const auto agreed = parse_deflate(extensions);
  // Naming no value for client_max_window_bits is allowed in an offer only.
  if (!agreed || (agreed->client_max_window_bits_named && !agreed->client_max_window_bits) ||
      !can_compress(agreed->client_max_window_bits)) {
    return fail(Code::kUnavailable, "WebSocket upgrade: unusable extension in the answer (" +
                                        std::string(extensions) + ")");
  }
  return DeflateParameters{.own_context_takeover = !agreed->client_no_context_takeover,
                           .peer_context_takeover = !agreed->server_no_context_takeover,
                           .own_window_bits = agreed->client_max_window_bits.value_or(15)};
}

}  // namespace binnacle::net
