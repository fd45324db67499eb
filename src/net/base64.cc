#include "net/base64.h"

#include <openssl/evp.h>

namespace binnacle::net {

std::string encode_base64(std::string_view bytes) {
  // EVP_EncodeBlock writes a NUL behind the text, for which std::string has room.
  std::string text(4 * ((bytes.size() + 2) / 3), '\0');
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                  reinterpret_cast<const unsigned char*>(bytes.data()),
                  static_cast<int>(bytes.size()));
  return text;
}

}  // namespace binnacle::net
