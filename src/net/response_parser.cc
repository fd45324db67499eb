#include "net/response_parser.h"

#include <boost/beast/http/basic_parser.hpp>

#include <limits>

namespace binnacle::net {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using BeastView = boost::beast::string_view;

constexpr size_t kMaxFields = 1024;
constexpr size_t kMaxUnusedBytes = 16 * 1024;  // of a chunk's header line or the trailer

std::string_view view(BeastView text) { return {text.data(), text.size()}; }

Unexpected head_too_large(size_t limit) {
  return fail(Code::kResourceExhausted,
              "response head: larger than the limit (" + std::to_string(limit) + " bytes)");
}

}  // namespace

class ResponseParser::Impl final : public http::basic_parser<false> {
 public:
  Impl(size_t max_header_bytes, bool answers_head) : max_header_bytes_(max_header_bytes) {
    header_limit(static_cast<std::uint32_t>(
        std::min<size_t>(max_header_bytes, std::numeric_limits<std::uint32_t>::max())));
    body_limit(boost::none);  // the exchange counts decoded bytes
    skip(answers_head);
    eager(false);
  }

  int status = 0;
  Headers headers;
  std::string* body = nullptr;

  size_t max_header_bytes() const { return max_header_bytes_; }

 private:
  void on_request_impl(http::verb, BeastView, BeastView, int, error_code&) override {}
  void on_response_impl(int code, BeastView, int, error_code&) override { status = code; }
  void on_field_impl(http::field, BeastView name, BeastView value, error_code& error) override {
    if (in_body_) return;  // trailers: nobody asked for them
    if (headers.all().size() == kMaxFields) {
      error = http::make_error_code(http::error::header_limit);
      return;
    }
    headers.add(view(name), view(value));
  }
  void on_header_impl(error_code&) override { in_body_ = true; }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(BeastView piece, error_code&) override {
    body->append(piece.data(), piece.size());
    return piece.size();
  }
  void on_chunk_header_impl(std::uint64_t, BeastView, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, BeastView piece, error_code&) override {
    body->append(piece.data(), piece.size());
    return piece.size();
  }
  void on_finish_impl(error_code&) override {}

  const size_t max_header_bytes_;  // Fixed after construction
  bool in_body_ = false;
};

ResponseParser::ResponseParser(size_t max_header_bytes, bool answers_head)
    : impl_(std::make_unique<Impl>(max_header_bytes, answers_head)) {}
ResponseParser::~ResponseParser() = default;

Result<size_t> ResponseParser::put(std::string_view bytes, std::string& body) {
  impl_->body = &body;
  const bool was_in_head = !head_done();
  size_t used = 0;
  while (used < bytes.size() && !done() && (!was_in_head || !head_done())) {
    error_code error;
    const size_t n =
        impl_->put(boost::asio::buffer(bytes.data() + used, bytes.size() - used), error);
    used += n;
    if (error == http::error::need_more) {
      const size_t limit = head_done() ? kMaxUnusedBytes : impl_->max_header_bytes();
      if (bytes.size() - used <= limit) break;
      error = http::make_error_code(http::error::header_limit);
    }
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
      return head_too_large(impl_->max_header_bytes());
    }
    if (error) return fail(Code::kUnavailable, "response: not valid HTTP: " + error.message());
    if (n == 0) break;
  }
  return used;
}

Status ResponseParser::put_end() {
  if (done()) return {};
  error_code error;
  if (head_done()) impl_->put_eof(error);
  if (head_done() && !error) return {};
  return fail(Code::kDataLoss,
              head_done() ? "response body: cut short" : "response head: cut short");
}

bool ResponseParser::head_done() const { return impl_->is_header_done(); }
bool ResponseParser::done() const { return impl_->is_done(); }
int ResponseParser::status() const { return impl_->status; }
Headers& ResponseParser::headers() { return impl_->headers; }
bool ResponseParser::keep_alive() const { return impl_->keep_alive(); }
bool ResponseParser::ends_with_connection() const { return impl_->need_eof(); }

}  // namespace binnacle::net
