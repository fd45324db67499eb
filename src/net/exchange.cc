#include "net/exchange.h"

#include <boost/asio/error.hpp>

namespace binnacle::net {
namespace {

namespace asio = boost::asio;

constexpr size_t kReadBytes = 32 * 1024;
constexpr int kMaxInterimResponses = 16;

}  // namespace

Exchange::Exchange(std::unique_ptr<Transport> transport,
                   std::unique_ptr<ConnectionPool::Lease> lease, ExchangeLimits limits)
    : limits_(limits), transport_(std::move(transport)), lease_(std::move(lease)) {}

asio::awaitable<Status> Exchange::run(std::string_view request_head, std::string_view request_body,
                                      bool is_head) {
  const auto [error, written] =
      co_await transport_->write(asio::buffer(request_head), asio::buffer(request_body));
  // A server that refuses a body answers before it has read all of it; its answer counts more than
  // our error.
  auto head = co_await read_head(is_head);
  if (error && !head)
    co_return fail(Code::kUnavailable, "request: connection lost: " + error.message());
  co_return head;
}

asio::awaitable<Status> Exchange::read_head(bool is_head) {
  for (int responses = 0; responses < kMaxInterimResponses; ++responses) {
    parser_ = std::make_unique<ResponseParser>(limits_.max_header_bytes, is_head);
    while (true) {
      const auto used = parser_->put(unused_, raw_);
      if (!used) co_return fail(used.error());
      unused_.erase(0, *used);
      if (parser_->head_done()) break;
      const auto error = co_await receive();
      if (!error) continue;
      if (any_bytes_received_)
        co_return fail(Code::kDataLoss, "response head: cut short: " + error.message());
      co_return fail(Code::kUnavailable, "response: connection lost: " + error.message());
    }
    const bool interim = status() >= 100 && status() < 200 && status() != 101;
    if (!interim) co_return start_decoding(is_head);
  }
  co_return fail(Code::kUnavailable, "response: nothing but interim answers");
}

asio::awaitable<boost::system::error_code> Exchange::receive() {
  const size_t had = unused_.size();
  unused_.resize(had + kReadBytes);
  const auto [error, size] =
      co_await transport_->read_some(asio::buffer(unused_.data() + had, kReadBytes));
  unused_.resize(had + size);
  any_bytes_received_ = any_bytes_received_ || size > 0;
  co_return error;
}

Status Exchange::start_decoding(bool is_head) {
  if (is_head) return {};
  const auto coding = coding_from_name(headers().get("Content-Encoding"));
  // A coding that we did not ask for is the caller's matter: the header stays.
  if (!coding || *coding == Coding::kIdentity) return {};
  TRY_ASSIGN(decoder_, Decoder::make(*coding, limits_.max_body_bytes));
  headers().remove("Content-Encoding");
  headers().remove("Content-Length");
  return {};
}

asio::awaitable<Result<std::string_view>> Exchange::read_body() {
  while (true) {
    auto piece = decode_piece();
    if (!piece || !piece->empty()) co_return piece;
    if (parser_->done()) break;
    if (auto received = co_await receive_body(); !received)
      co_return fail(std::move(received).error());
  }
  // A coded body of no bytes at all is an empty body.
  if (decoder_ && any_coded_) {
    if (auto whole = decoder_->finish(); !whole) co_return fail(std::move(whole).error());
  }
  finish();
  co_return std::string_view();
}

Result<std::string_view> Exchange::decode_piece() {
  if (raw_.empty() && !raw_fed_) return std::string_view();
  if (!decoder_) {
    body_bytes_ += raw_.size();
    if (body_bytes_ > limits_.max_body_bytes) {
      return fail(Code::kResourceExhausted, "response body: larger than the limit (" +
                                                std::to_string(limits_.max_body_bytes) + " bytes)");
    }
    decoded_.swap(raw_);
    raw_.clear();
    return decoded_;
  }
  if (!raw_fed_) {
    decoder_->feed(raw_);
    raw_fed_ = any_coded_ = true;
  }
  decoded_.resize(kReadBytes);
  TRY_ASSIGN(const size_t size, decoder_->next(decoded_));
  if (size == 0) {
    raw_fed_ = false;
    raw_.clear();
  }
  return std::string_view(decoded_).substr(0, size);
}

asio::awaitable<Status> Exchange::receive_body() {
  const auto used = parser_->put(unused_, raw_);
  if (!used) co_return fail(used.error());
  unused_.erase(0, *used);
  if (*used > 0 || parser_->done()) co_return Status{};
  const auto error = co_await receive();
  if (!error) co_return Status{};
  // Only an orderly end of the connection ends a body that nothing else ends: over TLS a bare FIN
  // may be forged.
  if (error == asio::error::eof && parser_->ends_with_connection()) co_return parser_->put_end();
  co_return fail(Code::kDataLoss, "response body: cut short: " + error.message());
}

void Exchange::finish() {
  if (!transport_) return;
  // Bytes behind the response answer nothing that we asked, and after 101 it is HTTP no more.
  if (parser_->keep_alive() && unused_.empty() && status() != 101) {
    lease_->keep(std::move(transport_));
  } else {
    transport_->close();
  }
}

}  // namespace binnacle::net
