#include "net/coding.h"

#include "base/check.h"
#include "net/field_value.h"
#include "net/http.h"

#include <zlib.h>
#include <zstd.h>

#include <charconv>

namespace binnacle::net {
namespace {

constexpr size_t kPieceBytes = 16 * 1024;
constexpr int kGzipLevel = 5;
constexpr int kZstdLevel = 3;
constexpr int kGzipWindowBits = 15 + 16;  // zlib: 16 asks for gzip framing
constexpr int kMaxZstdWindowLog = 23;     // 8 MiB, what RFC 9659 asks every decoder of HTTP to take

Unexpected too_large(size_t limit) {
  return fail(Code::kResourceExhausted,
              "decoded body: larger than the limit (" + std::to_string(limit) + " bytes)");
}

// The part of a decoder that counts what came out against the bound.
class OutputBound {
 public:
  explicit OutputBound(size_t limit) : limit_(limit) {}
  // One byte more than allowed may be asked for: that is how going over the limit shows.
  size_t room(size_t wanted) const {
    return limit_ - produced_ < wanted ? limit_ - produced_ + 1 : wanted;
  }
  Result<size_t> count(size_t n) {
    produced_ += n;
    if (produced_ > limit_) return too_large(limit_);
    return n;
  }

 private:
  const size_t limit_;
  size_t produced_ = 0;
};

class GzipDecoder final : public Decoder {
 public:
  explicit GzipDecoder(size_t limit) : bound_(limit) {
    CHECK(inflateInit2(&zlib_, kGzipWindowBits) == Z_OK);
  }
  ~GzipDecoder() override { inflateEnd(&zlib_); }

  void feed(std::string_view coded) override {
    CHECK(zlib_.avail_in == 0);
    zlib_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(coded.data()));
    zlib_.avail_in = static_cast<uInt>(coded.size());
  }

  Result<size_t> next(std::span<char> out) override {
    zlib_.next_out = reinterpret_cast<Bytef*>(out.data());
    const size_t room = bound_.room(out.size());
    zlib_.avail_out = static_cast<uInt>(room);
    // Output may still be inside zlib when the input is used up, so the loop asks until nothing
    // more comes.
    while (zlib_.avail_out == room && (zlib_.avail_in > 0 || may_hold_output_)) {
      if (at_member_end_) {
        inflateReset(&zlib_);
        at_member_end_ = false;
      }
      const int result = inflate(&zlib_, Z_NO_FLUSH);
      if (result == Z_BUF_ERROR) {
        may_hold_output_ = false;
        break;
      }
      if (result != Z_OK && result != Z_STREAM_END) {
        return fail(Code::kInvalidArgument, std::string("gzip body: ") +
                                                (zlib_.msg != nullptr ? zlib_.msg : "broken data"));
      }
      at_member_end_ = result == Z_STREAM_END;
      may_hold_output_ = zlib_.avail_out == 0 && !at_member_end_;
    }
    return bound_.count(room - zlib_.avail_out);
  }

  Status finish() override {
    if (at_member_end_) return {};
    return fail(Code::kDataLoss, "gzip body: cut short");
  }

 private:
  z_stream zlib_{};
  OutputBound bound_;
  bool at_member_end_ = false;
  bool may_hold_output_ = false;
};

class ZstdDecoder final : public Decoder {
 public:
  explicit ZstdDecoder(size_t limit) : context_(ZSTD_createDCtx()), bound_(limit) {
    CHECK(context_ != nullptr);
    ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, kMaxZstdWindowLog);
  }
  ~ZstdDecoder() override { ZSTD_freeDCtx(context_); }

  void feed(std::string_view coded) override {
    CHECK(input_.pos == input_.size);
    input_ = {coded.data(), coded.size(), 0};
  }

  Result<size_t> next(std::span<char> out) override {
    ZSTD_outBuffer output{out.data(), bound_.room(out.size()), 0};
    while (output.pos == 0 && (input_.pos < input_.size || may_hold_output_)) {
      const size_t hint = ZSTD_decompressStream(context_, &output, &input_);
      if (ZSTD_isError(hint)) {
        return fail(Code::kInvalidArgument, std::string("zstd body: ") + ZSTD_getErrorName(hint));
      }
      at_frame_end_ = hint == 0;
      may_hold_output_ = !at_frame_end_ && output.pos == output.size;
    }
    return bound_.count(output.pos);
  }

  Status finish() override {
    if (at_frame_end_) return {};
    return fail(Code::kDataLoss, "zstd body: cut short");
  }

 private:
  ZSTD_DCtx* const context_;
  OutputBound bound_;
  ZSTD_inBuffer input_{nullptr, 0, 0};
  bool at_frame_end_ = false;
  bool may_hold_output_ = false;
};

class GzipEncoder final : public Encoder {
 public:
  GzipEncoder() {
    CHECK(deflateInit2(&zlib_, kGzipLevel, Z_DEFLATED, kGzipWindowBits, 8, Z_DEFAULT_STRATEGY) ==
          Z_OK);
  }
  ~GzipEncoder() override { deflateEnd(&zlib_); }

  void write(std::string_view bytes, std::string& out) override { run(bytes, Z_NO_FLUSH, out); }
  void flush(std::string& out) override { run({}, Z_SYNC_FLUSH, out); }
  void finish(std::string& out) override { run({}, Z_FINISH, out); }

 private:
  void run(std::string_view bytes, int how, std::string& out) {
    char piece[kPieceBytes];
    zlib_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    zlib_.avail_in = static_cast<uInt>(bytes.size());
    do {
      zlib_.next_out = reinterpret_cast<Bytef*>(piece);
      zlib_.avail_out = sizeof piece;
      deflate(&zlib_, how);
      out.append(piece, sizeof piece - zlib_.avail_out);
    } while (zlib_.avail_out == 0);
  }

  z_stream zlib_{};
};

class ZstdEncoder final : public Encoder {
 public:
  ZstdEncoder() : context_(ZSTD_createCCtx()) {
    CHECK(context_ != nullptr);
    ZSTD_CCtx_setParameter(context_, ZSTD_c_compressionLevel, kZstdLevel);
  }
  ~ZstdEncoder() override { ZSTD_freeCCtx(context_); }

  void write(std::string_view bytes, std::string& out) override {
    run(bytes, ZSTD_e_continue, out);
  }
  void flush(std::string& out) override { run({}, ZSTD_e_flush, out); }
  void finish(std::string& out) override { run({}, ZSTD_e_end, out); }

 private:
  void run(std::string_view bytes, ZSTD_EndDirective how, std::string& out) {
    char piece[kPieceBytes];
    ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
    bool more = true;
    while (more) {
      ZSTD_outBuffer output{piece, sizeof piece, 0};
      const size_t left = ZSTD_compressStream2(context_, &output, &input, how);
      CHECK(!ZSTD_isError(left));
      out.append(piece, output.pos);
      more = how == ZSTD_e_continue ? input.pos < input.size : left > 0;
    }
  }

  ZSTD_CCtx* const context_;
};

// The q-value among `parameters`; a broken one counts as 0, so that a coding is not used by
// mistake.
double quality(std::string_view parameters) {
  while (!parameters.empty()) {
    std::string_view parameter = take_element(parameters, ';');
    if (!equal_ignoring_case(take_element(parameter, '='), "q")) continue;
    const std::string_view value = trim_field(parameter);
    double q = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), q);
    return error == std::errc{} && end == value.data() + value.size() && q >= 0 && q <= 1 ? q : 0;
  }
  return 1;
}

}  // namespace

std::string_view coding_name(Coding coding) {
  switch (coding) {
    case Coding::kIdentity:
      return "identity";
    case Coding::kGzip:
      return "gzip";
    case Coding::kZstd:
      return "zstd";
  }
  return "identity";
}

std::optional<Coding> coding_from_name(std::string_view name) {
  if (name.empty() || equal_ignoring_case(name, "identity")) return Coding::kIdentity;
  if (equal_ignoring_case(name, "gzip") || equal_ignoring_case(name, "x-gzip"))
    return Coding::kGzip;
  if (equal_ignoring_case(name, "zstd")) return Coding::kZstd;
  return std::nullopt;
}

Coding negotiate_coding(std::string_view accept_encoding) {
  // Unnamed codings take the q of "*"; identity is allowed unless it is forbidden.
  constexpr double kUnnamed = -1;
  double gzip = kUnnamed, zstd = kUnnamed, identity = kUnnamed, any = kUnnamed;
  while (!accept_encoding.empty()) {
    std::string_view element = take_element(accept_encoding, ',');
    const std::string_view name = take_element(element, ';');
    if (name.empty()) continue;
    const double q = quality(element);
    if (name == "*") {
      any = q;
    } else if (const auto coding = coding_from_name(name)) {
      (*coding == Coding::kGzip ? gzip : *coding == Coding::kZstd ? zstd : identity) = q;
    }
  }
  if (gzip == kUnnamed) gzip = std::max(any, 0.0);
  if (zstd == kUnnamed) zstd = std::max(any, 0.0);
  // Smaller is better for everyone, so an identity that is not named loses to any coding that is
  // allowed.
  if (identity == kUnnamed) identity = 0;
  if (zstd > 0 && zstd >= gzip && zstd >= identity) return Coding::kZstd;
  if (gzip > 0 && gzip >= identity) return Coding::kGzip;
  return Coding::kIdentity;
}

Result<std::unique_ptr<Decoder>> Decoder::make(Coding coding, size_t max_decoded_bytes) {
  switch (coding) {
    case Coding::kGzip:
      return std::make_unique<GzipDecoder>(max_decoded_bytes);
    case Coding::kZstd:
      return std::make_unique<ZstdDecoder>(max_decoded_bytes);
    case Coding::kIdentity:
      break;
  }
  return fail(Code::kInvalidArgument, "decode: nothing to decode (identity)");
}

std::unique_ptr<Encoder> Encoder::make(Coding coding) {
  switch (coding) {
    case Coding::kGzip:
      return std::make_unique<GzipEncoder>();
    case Coding::kZstd:
      return std::make_unique<ZstdEncoder>();
    case Coding::kIdentity:
      break;
  }
  return nullptr;
}

std::string encode(Coding coding, std::string_view bytes) {
  const auto encoder = Encoder::make(coding);
  if (!encoder) return std::string(bytes);
  std::string out;
  encoder->write(bytes, out);
  encoder->finish(out);
  return out;
}

Result<std::string> decode(Coding coding, std::string_view coded, size_t max_decoded_bytes) {
  if (coding == Coding::kIdentity) {
    if (coded.size() > max_decoded_bytes) return too_large(max_decoded_bytes);
    return std::string(coded);
  }
  TRY_ASSIGN(auto decoder, Decoder::make(coding, max_decoded_bytes));
  decoder->feed(coded);
  std::string out;
  char piece[kPieceBytes];
  while (true) {
    TRY_ASSIGN(const size_t n, decoder->next(piece));
    if (n == 0) break;
    out.append(piece, n);
  }
  TRY(decoder->finish());
  return out;
}

}  // namespace binnacle::net
