// Content codings: gzip (RFC 1952) and zstd (RFC 8878), as streams and at once. A decoder never
// writes more than its bound, so a small body that swells without end (a "zip bomb") costs no
// memory: it is refused with kResourceExhausted. Objects belong to one thread at a time.
#pragma once

#include "base/error.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace binnacle::net {

enum class Coding : uint8_t { kIdentity, kGzip, kZstd };
std::string_view coding_name(Coding coding);  // "gzip"
// "", "identity", "gzip", "x-gzip", "zstd" without case; nullopt for anything else (415).
std::optional<Coding> coding_from_name(std::string_view name);

// What an Accept-Encoding value allows, by q-values; zstd before gzip before identity where they
// are equal. Identity for an empty value, and where nothing that we speak is allowed.
Coding negotiate_coding(std::string_view accept_encoding);

// Takes coded bytes in pieces, gives decoded bytes in pieces. Several gzip members or zstd frames
// in a row are one stream, as both formats say.
class Decoder {
 public:
  virtual ~Decoder() = default;
  // Fails for Coding::kIdentity: there is nothing to decode.
  static Result<std::unique_ptr<Decoder>> make(Coding coding, size_t max_decoded_bytes);

  // The next coded bytes; they stay valid until next() has returned 0. Only when next() asked for
  // them.
  virtual void feed(std::string_view coded) = 0;
  // Fills a part of `out`; 0: everything fed is used up. kInvalidArgument for broken bytes,
  // kResourceExhausted beyond the bound.
  virtual Result<size_t> next(std::span<char> out) = 0;
  // At the end of the coded bytes: kDataLoss when the stream is cut short.
  virtual Status finish() = 0;
};

// Takes bytes in pieces and appends coded bytes to `out`.
class Encoder {
 public:
  virtual ~Encoder() = default;
  // Null for Coding::kIdentity.
  static std::unique_ptr<Encoder> make(Coding coding);

  virtual void write(std::string_view bytes, std::string& out) = 0;
  virtual void flush(std::string& out) = 0;   // all written so far can be decoded by the peer
  virtual void finish(std::string& out) = 0;  // once, at the end
};

std::string encode(Coding coding, std::string_view bytes);
Result<std::string> decode(Coding coding, std::string_view coded, size_t max_decoded_bytes);

}  // namespace binnacle::net
