#include "net/tls_files.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <ctime>
#include <vector>

namespace binnacle::net {
namespace {

constexpr size_t kMaxPemBytes = size_t{1} << 20;

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using PrivateKey = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;

Bio reader_of(const std::string& bytes) {
  return Bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

std::string last_openssl_error() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  ERR_clear_error();
  return reason != nullptr ? reason : "unknown";
}

Unexpected unusable(const PemFile& file, const std::string& detail) {
  return fail(Code::kInvalidArgument, "TLS file " + file.path + ": " + detail);
}

// Without it OpenSSL would ask for the passphrase on the terminal.
int refuse_passphrase(char*, int, int, void*) { return 0; }

Result<std::vector<Certificate>> parse_certificates(const PemFile& file) {
  ERR_clear_error();
  const Bio in = reader_of(file.bytes);
  std::vector<Certificate> found;
  while (X509* certificate = PEM_read_bio_X509(in.get(), nullptr, refuse_passphrase, nullptr)) {
    found.emplace_back(certificate);
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string error = last_openssl_error();
  if (!at_end) return unusable(file, "broken certificate (" + error + "); it must be PEM");
  if (found.empty())
    return unusable(file, "holds no certificate; it must be PEM (-----BEGIN CERTIFICATE-----)");
  return found;
}

Result<PrivateKey> parse_key(const PemFile& file) {
  ERR_clear_error();
  const Bio in = reader_of(file.bytes);
  PrivateKey key(PEM_read_bio_PrivateKey(in.get(), nullptr, refuse_passphrase, nullptr));
  if (key) return key;
  const bool encrypted = file.bytes.find("ENCRYPTED") != std::string::npos;
  const std::string error = last_openssl_error();
  if (encrypted)
    return unusable(file,
                    "the key is encrypted; store it without a passphrase and readable to us alone");
  return unusable(
      file, "holds no private key (" + error + "); it must be PEM (-----BEGIN PRIVATE KEY-----)");
}

int64_t wall_ms(const ASN1_TIME* time) {
  std::tm parts{};
  ASN1_TIME_to_tm(time, &parts);
  return static_cast<int64_t>(timegm(&parts)) * 1000;
}

std::string printed(const ASN1_TIME* time) {
  std::tm parts{};
  ASN1_TIME_to_tm(time, &parts);
  char text[32];
  return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts));
}

Status check_period(const PemFile& file, const X509* certificate) {
  const ASN1_TIME* begin = X509_get0_notBefore(certificate);
  const ASN1_TIME* end = X509_get0_notAfter(certificate);
  if (X509_cmp_current_time(end) < 0)
    return unusable(file, "expired (" + printed(end) + "); renew it");
  if (X509_cmp_current_time(begin) > 0) {
    return unusable(file, "not valid before " + printed(begin) + "; check this machine's clock");
  }
  return {};
}

}  // namespace

Result<PemFile> read_pem_file(FileSystem& files, const std::string& path, std::string_view what) {
  if (path.empty()) return PemFile{};
  auto bytes = files.read_file(path, kMaxPemBytes);
  if (!bytes)
    return fail(std::move(bytes).error().with_context(std::string("TLS ") + std::string(what)));
  return PemFile{path, std::move(*bytes)};
}

Result<int64_t> use_certificate(SSL_CTX* context, const PemFile& certificate, const PemFile& key) {
  TRY_ASSIGN(const auto chain, parse_certificates(certificate));
  TRY_ASSIGN(const auto private_key, parse_key(key));
  X509* const own = chain.front().get();
  if (X509_check_private_key(own, private_key.get()) != 1) {
    ERR_clear_error();
    return unusable(key, "the key does not fit the certificate in " + certificate.path +
                             "; the server's own certificate must come first there");
  }
  TRY(check_period(certificate, own));
  bool taken = SSL_CTX_use_certificate(context, own) == 1;
  for (size_t i = 1; i < chain.size(); ++i)
    taken = taken && SSL_CTX_add1_chain_cert(context, chain[i].get()) == 1;
  taken = taken && SSL_CTX_use_PrivateKey(context, private_key.get()) == 1;
  if (!taken) return unusable(certificate, "refused by OpenSSL (" + last_openssl_error() + ")");
  return wall_ms(X509_get0_notAfter(own));
}

Status trust_certificates(SSL_CTX* context, const PemFile& ca, bool announce) {
  TRY_ASSIGN(const auto certificates, parse_certificates(ca));
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  for (const Certificate& certificate : certificates) {
    if (X509_STORE_add_cert(store, certificate.get()) != 1 ||
        (announce && SSL_CTX_add_client_CA(context, certificate.get()) != 1)) {
      return unusable(ca, "refused by OpenSSL (" + last_openssl_error() + ")");
    }
  }
  return {};
}

}  // namespace binnacle::net
