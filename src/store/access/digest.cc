#include "store/access/digest.h"

#include "base/check.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

namespace binnacle::store::access {

std::string sha256(std::string_view bytes) {
  std::string digest(kSha256Bytes, '\0');
  size_t size = 0;
  CHECK(EVP_Q_digest(nullptr, "SHA256", nullptr, bytes.data(), bytes.size(),
                     reinterpret_cast<unsigned char*>(digest.data()), &size) == 1);
  CHECK(size == kSha256Bytes);
  return digest;
}

std::string to_hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace binnacle::store::access
