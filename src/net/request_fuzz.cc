// Requests from a hostile client, through the same parser, framing and buffer as a connection's.
// The first byte says how the rest is cut into pieces; what is read must not depend on the cuts,
// views must lie in the bytes received, and what was refused must name a status.
#include "base/check.h"
#include "net/input_buffer.h"
#include "net/request_parser.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace {

using namespace binnacle::net;
using Step = RequestParser::Step;

constexpr size_t kMaxHeadBytes = 2048;
// A chunk's head longer than its limit is taken when it comes in one piece, so longer inputs may
// differ by cuts.
constexpr size_t kMaxInput = 4096;

class Reading {
 public:
  // All requests of `input`, as text; ends with "refused" when the connection would end there.
  std::string read(std::string_view input, size_t piece_bytes) {
    while (!refused_) {
      if (in_body_ ? read_body() : read_head()) continue;
      if (refused_ || input.empty()) break;
      receive(input.substr(0, piece_bytes));
      input.remove_prefix(std::min(piece_bytes, input.size()));
    }
    return transcript_ + (refused_ ? "refused" : "");
  }

 private:
  void receive(std::string_view bytes) {
    const auto room = buffer_.prepare(bytes.size());
    std::memcpy(room.data(), bytes.data(), bytes.size());
    buffer_.commit(bytes.size());
  }

  bool refuse() {
    const ParseFailure& failure = parser_.failure();
    CHECK(failure.status >= 400 && failure.status < 600 && !failure.reason.empty());
    refused_ = true;
    return false;
  }

  bool read_head() {
    size_t used = 0;
    const std::string_view unread = buffer_.unread();
    const Step step = parser_.parse_head(unread, kMaxHeadBytes, request_, used);
    if (step == Step::kFailed) return refuse();
    if (step == Step::kNeedMore) return false;
    CHECK(used <= unread.size());
    CHECK(!request_.path.empty() && parser_.framing().has_body != parser_.body_done());
    buffer_.consume(used);
    buffer_.pin();
    in_body_ = true;
    return true;
  }

  bool read_body() {
    if (parser_.body_done()) {
      end_request();
      return true;
    }
    std::string_view piece;
    size_t used = 0;
    const std::string_view unread = buffer_.unread();
    const Step step = parser_.parse_body(unread, piece, used);
    CHECK(used <= unread.size());
    CHECK(piece.empty() || (piece.data() >= unread.data() &&
                            piece.data() + piece.size() <= unread.data() + unread.size()));
    body_ += piece;
    buffer_.consume(used);
    if (step == Step::kFailed) return refuse();
    return !piece.empty() || parser_.body_done();
  }

  // The head is written down only now: its views must have held while the body came.
  void end_request() {
    transcript_ +=
        std::string(method_name(request_.method)) + " " + std::string(request_.target) + "|";
    transcript_ += std::string(request_.path) + "?" + std::string(request_.query) + "\n";
    for (const HeaderView& field : request_.headers)
      transcript_ += std::string(field.name) + "=" + std::string(field.value) + "\n";
    transcript_ += body_ + "\n";
    body_.clear();
    in_body_ = false;
    parser_.reset();
    buffer_.release(64);
  }

  InputBuffer buffer_;
  RequestParser parser_;
  Request request_;
  std::string body_, transcript_;
  bool in_body_ = false;
  bool refused_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || size > kMaxInput) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string at_once = Reading().read(input, std::max<size_t>(input.size(), 1));
  const std::string in_pieces = Reading().read(input, data[0] % 61u + 1);
  CHECK(at_once == in_pieces);
  return 0;
}
