#include "net/request_parser.h"

#include <boost/beast/http/basic_parser.hpp>

#include <algorithm>
#include <limits>
#include <vector>

namespace binnacle::net {

namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using BeastView = boost::beast::string_view;

constexpr size_t kMaxFields = 256;
constexpr size_t kMaxChunkHeadBytes = 8192;  // chunk size and extensions; the trailer

std::string_view view(BeastView text) { return {text.data(), text.size()}; }

// Set by our own checks; Beast only carries it out of put().
const error_code kRefused = http::make_error_code(http::error::bad_value);

}  // namespace

// Beast's parser calls back while put() runs. Built anew for each request: it has no reset of its
// own.
class MessageParser final : public http::basic_parser<true> {
 public:
  MessageParser(std::vector<HeaderView>& fields, std::string_view head)
      : fields_(fields), head_(head) {
    fields_.clear();
    body_limit(boost::none);  // routes differ: the connection counts
    header_limit(std::numeric_limits<std::uint32_t>::max());
  }

  std::string_view method, target, piece;
  Framing framing;
  ParseFailure failure;
  bool saw_transfer_encoding = false;

 private:
  void refuse(int status, std::string_view reason, error_code& ec) {
    failure = {status, reason};
    ec = kRefused;
  }

  void on_request_impl(http::verb, BeastView method_text, BeastView target_text, int version,
                       error_code&) override {
    method = view(method_text);
    target = view(target_text);
    framing.http10 = version == 10;
  }

  void on_field_impl(http::field field, BeastView name, BeastView value, error_code& ec) override {
    if (in_body_) return;  // a trailer: nobody asked for it
    if (fields_.size() == kMaxFields) return refuse(431, "more than 256 header fields", ec);
    if (is_folded(view(name), view(value)))
      return refuse(400, "a header field is folded over lines", ec);
    fields_.push_back({view(name), view(value)});
    switch (field) {
      case http::field::host:
        return on_host(ec);
      case http::field::content_length:
        return on_content_length(view(value), ec);
      case http::field::transfer_encoding:
        return on_transfer_encoding(view(value), ec);
      case http::field::expect:
        return on_expect(view(value), ec);
      default:
        return;
    }
  }

  // Beast joins folded lines in a buffer of its own, or starts the value on a later line.
  bool is_folded(std::string_view name, std::string_view value) const {
    const char* const head_end = head_.data() + head_.size();
    if (value.data() < head_.data() || value.data() > head_end) return !value.empty();
    return std::find(name.data() + name.size(), value.data(), '\r') != value.data();
  }

  void on_host(error_code& ec) {
    if (saw_host_) return refuse(400, "more than one Host header", ec);
    saw_host_ = true;
  }

  void on_content_length(std::string_view value, error_code& ec) {
    if (saw_content_length_ || value.find(',') != std::string_view::npos)
      return refuse(400, "more than one Content-Length", ec);
    saw_content_length_ = true;
  }

  void on_transfer_encoding(std::string_view value, error_code& ec) {
    saw_transfer_encoding = true;
    if (!equal_ignoring_case(value, "chunked"))
      return refuse(501, "Transfer-Encoding: only chunked is known", ec);
    if (framing.http10) return refuse(400, "Transfer-Encoding in an HTTP/1.0 request", ec);
  }

  void on_expect(std::string_view value, error_code& ec) {
    if (!equal_ignoring_case(value, "100-continue"))
      return refuse(417, "Expect: only 100-continue is known", ec);
    framing.expects_continue = !framing.http10;
  }

  void on_header_impl(error_code& ec) override {
    if (!saw_host_ && !framing.http10) return refuse(400, "no Host header", ec);
    in_body_ = true;
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}

  std::size_t on_body_impl(BeastView body, error_code&) override {
    piece = view(body);
    return body.size();
  }

  void on_chunk_header_impl(std::uint64_t, BeastView, error_code&) override {}

  std::size_t on_chunk_body_impl(std::uint64_t, BeastView body, error_code&) override {
    piece = view(body);
    return body.size();
  }

  void on_finish_impl(error_code&) override {}
  void on_response_impl(int, BeastView, int, error_code&) override {}

  std::vector<HeaderView>& fields_;
  const std::string_view head_;
  bool saw_host_ = false;
  bool saw_content_length_ = false;
  bool in_body_ = false;
};

namespace {

std::string_view request_line(std::string_view head) { return head.substr(0, head.find("\r\n")); }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// "GET / HTTP/3.0": a request line in good form, of a version that we do not speak.
bool names_other_version(std::string_view line) {
  if (line.size() < 9) return false;
  const std::string_view version = line.substr(line.size() - 9);
  return version.starts_with(" HTTP/") && is_digit(version[6]) && version[7] == '.' &&
         is_digit(version[8]);
}

ParseFailure failure_of(const error_code& error, const MessageParser& parser,
                        std::string_view head) {
  if (!parser.failure.reason.empty()) return parser.failure;
  if (error == http::error::bad_version) {
    if (names_other_version(request_line(head)))
      return {505, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
    return {400, "the request line does not end in an HTTP version"};
  }
  if (error == http::error::bad_method) return {400, "the method is not a token"};
  if (error == http::error::bad_target) return {400, "the target holds a byte that it may not"};
  if (error == http::error::bad_field) return {400, "a header name holds a byte that it may not"};
  if (error == http::error::bad_value) return {400, "a header value holds a byte that it may not"};
  if (error == http::error::bad_line_ending) return {400, "a line does not end in CR LF"};
  if (error == http::error::bad_transfer_encoding) {
    return {400, parser.saw_transfer_encoding ? "more than one Transfer-Encoding"
                                              : "both Content-Length and Transfer-Encoding"};
  }
  if (error == http::error::bad_content_length) {
    return {400, parser.saw_transfer_encoding ? "both Content-Length and Transfer-Encoding"
                                              : "Content-Length is not a number"};
  }
  if (error == http::error::multiple_content_length) return {400, "more than one Content-Length"};
  if (error == http::error::bad_chunk || error == http::error::bad_chunk_extension)
    return {400, "the chunked body is broken"};
  return {400, "the request is broken"};
}

// Where an unfinished head is broken already, so that the peer need not wait for the header
// timeout.
std::optional<ParseFailure> early_failure(std::string_view bytes, size_t from) {
  for (size_t i = from; i < bytes.size(); ++i) {
    if (bytes[i] == '\0') return ParseFailure{400, "a NUL byte in the head (TLS on a plain port?)"};
    if (bytes[i] == '\n' && (i == 0 || bytes[i - 1] != '\r'))
      return ParseFailure{400, "a line does not end in CR LF"};
  }
  return std::nullopt;
}

ParseFailure too_large(std::string_view bytes, size_t max_bytes) {
  if (bytes.substr(0, max_bytes).find("\r\n") == std::string_view::npos)
    return {414, "the request line is too long"};
  return {431, "the request's head is too large"};
}

// RFC 9112 section 3.2: origin form, absolute form (its authority is dropped: Host has it) or "*".
void split_target(std::string_view target, Request& request) {
  request.target = target;
  std::string_view rest = target;
  const size_t scheme = rest.find("://");
  if (!rest.empty() && rest.front() != '/' && scheme != std::string_view::npos) {
    const size_t path = rest.find_first_of("/?", scheme + 3);
    rest = path == std::string_view::npos ? std::string_view("/") : rest.substr(path);
  }
  const size_t question = rest.find('?');
  request.path = rest.substr(0, question);
  if (request.path.empty()) request.path = "/";
  request.query =
      question == std::string_view::npos ? std::string_view() : rest.substr(question + 1);
}

}  // namespace

struct RequestParser::Impl {
  std::vector<HeaderView> fields;
  std::optional<MessageParser> parser;
  ParseFailure failure;
  Framing framing;
  size_t scanned = 0;  // bytes of an unfinished head that hold no end of it

  Step fail(ParseFailure why) {
    failure = why;
    return Step::kFailed;
  }
};

RequestParser::RequestParser() : impl_(std::make_unique<Impl>()) {}
RequestParser::~RequestParser() = default;

void RequestParser::reset() {
  impl_->parser.reset();
  impl_->framing = {};
  impl_->scanned = 0;
}

const Framing& RequestParser::framing() const { return impl_->framing; }
bool RequestParser::body_done() const { return impl_->parser && impl_->parser->is_done(); }
const ParseFailure& RequestParser::failure() const { return impl_->failure; }

RequestParser::Step RequestParser::parse_head(std::string_view bytes, size_t max_bytes,
                                              Request& request, size_t& used) {
  // RFC 9112 section 2.2: empty lines before the request line are skipped.
  size_t empty_lines = 0;
  while (bytes.substr(empty_lines, 2) == "\r\n") empty_lines += 2;
  const size_t from = std::max(impl_->scanned, empty_lines);
  const size_t end = bytes.find("\r\n\r\n", from);
  const size_t without_end = bytes.size() - std::min<size_t>(bytes.size(), 3);
  if (std::min(end, without_end) >= max_bytes)
    return impl_->fail(too_large(bytes.substr(empty_lines), max_bytes));
  if (end == std::string_view::npos) {
    if (const auto failure = early_failure(bytes, impl_->scanned)) return impl_->fail(*failure);
    impl_->scanned = without_end;
    return Step::kNeedMore;
  }
  used = end + 4;
  const std::string_view head = bytes.substr(empty_lines, used - empty_lines);
  MessageParser& parser = impl_->parser.emplace(impl_->fields, head);
  error_code error;
  parser.put(boost::asio::const_buffer(head.data(), head.size()), error);
  if (error) return impl_->fail(failure_of(error, parser, head));
  impl_->framing = parser.framing;
  impl_->framing.keep_alive = parser.keep_alive();
  impl_->framing.has_body = !parser.is_done();
  if (const auto length = parser.content_length()) impl_->framing.content_length = *length;
  request.method = method_from_name(parser.method);
  split_target(parser.target, request);
  request.headers = impl_->fields;
  return Step::kDone;
}

RequestParser::Step RequestParser::parse_body(std::string_view bytes, std::string_view& piece,
                                              size_t& used) {
  MessageParser& parser = *impl_->parser;
  parser.piece = piece = {};
  used = 0;
  while (!parser.is_done() && piece.empty()) {
    const std::string_view rest = bytes.substr(used);
    if (rest.empty()) return Step::kNeedMore;
    error_code error;
    used += parser.put(boost::asio::const_buffer(rest.data(), rest.size()), error);
    piece = parser.piece;
    if (error == http::error::need_more) {
      if (bytes.size() - used > kMaxChunkHeadBytes)
        return impl_->fail({400, "a chunk's head or the trailer is too long"});
      return Step::kNeedMore;
    }
    if (error) return impl_->fail(failure_of(error, parser, {}));
  }
  return parser.is_done() ? Step::kDone : Step::kNeedMore;
}

}  // namespace binnacle::net
