#include "net/echo_datagram.h"

#include "base/bytes.h"
#include "base/check.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

namespace binnacle::net {

namespace {

constexpr std::string_view kMagic = "BNEC";
constexpr uint8_t kVersion = 1;
constexpr size_t kMacBytes = 16;
constexpr size_t kSignedBytes = kEchoDatagramBytes - kMacBytes;

std::string mac_of(std::string_view bytes, std::string_view key) {
  CHECK(key.size() >= kMinEchoKeyBytes);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data(),
             &size) != nullptr);
  CHECK(size >= kMacBytes);
  return {reinterpret_cast<const char*>(digest.data()), kMacBytes};
}

}  // namespace

std::string_view echo_flaw_name(EchoFlaw flaw) {
  constexpr std::string_view kNames[] = {"length", "magic", "version", "kind", "mac"};
  return kNames[static_cast<size_t>(flaw)];
}

std::string write_echo(const EchoDatagram& echo, std::string_view key) {
  std::string bytes;
  ByteWriter out(bytes);
  out.raw(kMagic);
  out.u8(kVersion);
  out.u8(static_cast<uint8_t>(echo.kind));
  out.u64(echo.id);
  out.u32(echo.number);
  CHECK(bytes.size() == kSignedBytes);
  bytes += mac_of(bytes, key);
  return bytes;
}

tl::expected<EchoDatagram, EchoFlaw> read_echo(std::string_view bytes, std::string_view key) {
  if (bytes.size() != kEchoDatagramBytes) return tl::unexpected(EchoFlaw::kLength);
  ByteReader in(bytes);
  if (in.raw(kMagic.size()) != kMagic) return tl::unexpected(EchoFlaw::kMagic);
  if (in.u8() != kVersion) return tl::unexpected(EchoFlaw::kVersion);
  const uint8_t kind = in.u8();
  if (kind != static_cast<uint8_t>(EchoKind::kRequest) &&
      kind != static_cast<uint8_t>(EchoKind::kReply)) {
    return tl::unexpected(EchoFlaw::kKind);
  }
  EchoDatagram echo{.kind = static_cast<EchoKind>(kind)};
  echo.id = in.u64();
  echo.number = in.u32();
  const std::string mac = mac_of(bytes.substr(0, kSignedBytes), key);
  if (CRYPTO_memcmp(mac.data(), in.rest().data(), kMacBytes) != 0) {
    return tl::unexpected(EchoFlaw::kMac);
  }
  return echo;
}

}  // namespace binnacle::net
