// Certificates for the tests of TLS, made by OpenSSL in the test itself: an authority that signs
// what a test asks for. Keys are P-256, so that making one takes well under a millisecond.
#pragma once

#include "base/check.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <boost/asio/ssl/context.hpp>

#include <memory>
#include <string>

namespace binnacle::net {

struct CertificateAndKey {
  std::string certificate;  // PEM
  std::string key;          // PEM
};

class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name) : key_(make_key()) {
    certificate_.reset(build(name, "", 0, 3600, key_.get(), nullptr));
  }

  std::string certificate() const { return pem(certificate_.get()); }

  // `names`: as in "DNS:localhost,IP:127.0.0.1"; "" for none. Valid from and until so many seconds
  // from now.
  CertificateAndKey issue(const std::string& common_name, const std::string& names,
                          long from_seconds = -60, long until_seconds = 3600) const {
    const Key key = make_key();
    const Certificate made(
        build(common_name, names, from_seconds, until_seconds, key.get(), certificate_.get()));
    return {pem(made.get()), pem(key.get())};
  }

 private:
  struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const { X509_free(certificate); }
  };
  using Key = std::unique_ptr<EVP_PKEY, Free>;
  using Certificate = std::unique_ptr<X509, Free>;

  static Key make_key() { return Key(EVP_EC_gen("P-256")); }

  X509* build(const std::string& name, const std::string& names, long from, long until,
              EVP_PKEY* key, X509* issuer) const {
    X509* made = X509_new();
    X509_set_version(made, X509_VERSION_3);
    static long serial = 1;
    ASN1_INTEGER_set(X509_get_serialNumber(made), serial++);
    X509_gmtime_adj(X509_getm_notBefore(made), from);
    X509_gmtime_adj(X509_getm_notAfter(made), until);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(made, X509_get_subject_name(issuer != nullptr ? issuer : made));
    X509_set_pubkey(made, key);
    extend(made, NID_basic_constraints,
           issuer == nullptr ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (!names.empty()) extend(made, NID_subject_alt_name, names.c_str());
    CHECK(X509_sign(made, key_.get(), EVP_sha256()) > 0);
    return made;
  }

  static void extend(X509* certificate, int kind, const char* value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value);
    CHECK(extension != nullptr);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }

  static std::string text_of(BIO* out) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(out, &data);
    std::string text(data, static_cast<size_t>(size));
    BIO_free(out);
    return text;
  }
  static std::string pem(X509* certificate) {
    BIO* out = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(out, certificate);
    return text_of(out);
  }
  static std::string pem(EVP_PKEY* key) {
    BIO* out = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
    return text_of(out);
  }

  Key key_;
  Certificate certificate_;
};

// A server's side that shows `pair` whatever its dates.
inline std::shared_ptr<boost::asio::ssl::context> server_context(const CertificateAndKey& pair) {
  auto context = std::make_shared<boost::asio::ssl::context>(boost::asio::ssl::context::tls_server);
  context->use_certificate_chain(boost::asio::buffer(pair.certificate));
  context->use_private_key(boost::asio::buffer(pair.key), boost::asio::ssl::context::pem);
  return context;
}

}  // namespace binnacle::net
