// The bytes of one UDP echo (docs/formats/echo.md). Pure; any thread.
#pragma once

#include <tl/expected.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace binnacle::net {

inline constexpr size_t kEchoDatagramBytes = 34;
inline constexpr size_t kMinEchoKeyBytes = 16;

enum class EchoKind : uint8_t { kRequest = 1, kReply = 2 };

struct EchoDatagram {
  EchoKind kind = EchoKind::kRequest;
  uint64_t id = 0;
  uint32_t number = 0;
  friend bool operator==(const EchoDatagram&, const EchoDatagram&) = default;
};

enum class EchoFlaw : uint8_t { kLength, kMagic, kVersion, kKind, kMac };
std::string_view echo_flaw_name(EchoFlaw flaw);  // "mac"

// `key` has kMinEchoKeyBytes or more.
std::string write_echo(const EchoDatagram& echo, std::string_view key);
tl::expected<EchoDatagram, EchoFlaw> read_echo(std::string_view bytes, std::string_view key);

}  // namespace binnacle::net
