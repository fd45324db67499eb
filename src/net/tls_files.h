// PEM files made into an OpenSSL context. Every error names the file and the way out. Pure
// functions over the bytes of the files; tls.cc decides when they are read.
#pragma once

#include "base/error.h"
#include "base/file_system.h"

#include <cstdint>
#include <memory>
#include <string>

struct ssl_ctx_st;

namespace binnacle::net {

struct PemFile {
  std::string path;  // empty: not configured
  std::string bytes;
};

// "" for an empty path.
Result<PemFile> read_pem_file(FileSystem& files, const std::string& path, std::string_view what);

// Puts a certificate chain and its key into `context`; returns the wall time of the certificate's
// end in ms. Refuses a key that does not fit, a certificate that is over or not yet valid, an
// encrypted key.
Result<int64_t> use_certificate(ssl_ctx_st* context, const PemFile& certificate,
                                const PemFile& key);

// Trusts the CA certificates of `ca`. `announce`: also names them to clients that are asked for a
// certificate.
Status trust_certificates(ssl_ctx_st* context, const PemFile& ca, bool announce);

}  // namespace binnacle::net
