#include "net/tls.h"

#include "base/check.h"
#include "base/log.h"
#include "base/mutex.h"
#include "net/tls_files.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <boost/asio/ssl/context.hpp>

#include <array>

namespace binnacle::net {
namespace {

namespace ssl = boost::asio::ssl;

// Forward secrecy and authenticated encryption only; TLS 1.3 has nothing else.
constexpr const char* kTls12Ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!PSK";
constexpr std::array<unsigned char, 9> kAlpnHttp11{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

struct ContextAndExpiry {
  std::shared_ptr<ssl::context> context;
  int64_t expires_at_ms = 0;
};

using Digest = std::array<unsigned char, 32>;

// The files' bytes at one moment.
struct PemSet {
  PemFile certificate, key, ca;

  // SHA-256 over all of them: what is kept to notice a change, so that no second copy of the key
  // stays in memory.
  Digest digest() const {
    std::string all;
    for (const PemFile* file : {&certificate, &key, &ca})
      all += std::to_string(file->bytes.size()) + ":" + file->bytes;
    Digest digest;
    CHECK(EVP_Q_digest(nullptr, "SHA256", nullptr, all.data(), all.size(), digest.data(),
                       nullptr) == 1);
    OPENSSL_cleanse(all.data(), all.size());
    return digest;
  }
};

Result<PemSet> read_all(FileSystem& files, const std::string& certificate, const std::string& key,
                        const std::string& ca) {
  PemSet set;
  TRY_ASSIGN(set.certificate, read_pem_file(files, certificate, "certificate"));
  TRY_ASSIGN(set.key, read_pem_file(files, key, "key"));
  TRY_ASSIGN(set.ca, read_pem_file(files, ca, "CA certificates"));
  return set;
}

std::shared_ptr<ssl::context> bare_context(ssl::context::method method) {
  auto context = std::make_shared<ssl::context>(method);
  SSL_CTX* const native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  CHECK(SSL_CTX_set_cipher_list(native, kTls12Ciphers) == 1);
  // Idle connections are many: their buffers go back to the heap between records.
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION);
  return context;
}

int select_http11(SSL*, const unsigned char** out, unsigned char* out_size,
                  const unsigned char* offered, unsigned int offered_size, void*) {
  unsigned char* chosen = nullptr;
  const int result = SSL_select_next_proto(&chosen, out_size, kAlpnHttp11.data(),
                                           kAlpnHttp11.size(), offered, offered_size);
  *out = chosen;
  // A client that speaks only h2 gets a clear alert and no bytes that it cannot read.
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

Result<ContextAndExpiry> build_server(const TlsServerOptions& options, const PemSet& pem) {
  ContextAndExpiry built;
  built.context = bare_context(ssl::context::tls_server);
  SSL_CTX* const native = built.context->native_handle();
  SSL_CTX_set_options(native, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  TRY_ASSIGN(built.expires_at_ms, use_certificate(native, pem.certificate, pem.key));
  if (!pem.ca.path.empty()) {
    TRY(trust_certificates(native, pem.ca, true));
    SSL_CTX_set_verify(
        native,
        SSL_VERIFY_PEER |
            (options.require_client_certificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
        nullptr);
  }
  // A resumed session would keep a client's certificate that a reload no longer trusts.
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(native, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(native, 0);
  SSL_CTX_set_alpn_select_cb(native, select_http11, nullptr);
  return built;
}

Result<std::shared_ptr<ssl::context>> build_client(const TlsClientOptions& options,
                                                   const PemSet& pem) {
  auto context = bare_context(ssl::context::tls_client);
  SSL_CTX* const native = context->native_handle();
  if (!pem.certificate.path.empty()) TRY(use_certificate(native, pem.certificate, pem.key));
  if (!pem.ca.path.empty()) {
    TRY(trust_certificates(native, pem.ca, false));
  } else if (!options.insecure_skip_verify && SSL_CTX_set_default_verify_paths(native) != 1) {
    return fail(Code::kFailedPrecondition,
                "TLS: the system's CA certificates cannot be read; install "
                "ca-certificates or name a ca_file");
  }
  SSL_CTX_set_alpn_protos(native, kAlpnHttp11.data(), kAlpnHttp11.size());
  return context;
}

// What no file is named for may stand in the options themselves.
void take_texts(const TlsClientOptions& options, PemSet& pem) {
  const auto take = [](PemFile& file, const std::string& text, const char* what) {
    if (file.path.empty() && !text.empty()) file = {what, text};
  };
  take(pem.certificate, options.certificate_pem, "(the certificate in the configuration)");
  take(pem.key, options.key_pem, "(the key in the configuration)");
  take(pem.ca, options.ca_pem, "(the CA in the configuration)");
}

}  // namespace

struct TlsServerContext::State {
  State(FileSystem& file_system, TlsServerOptions tls_options)
      : files(file_system), options(std::move(tls_options)) {}

  Result<PemSet> read() const {
    return read_all(files, options.certificate_file, options.key_file, options.client_ca_file);
  }

  FileSystem& files;               // Fixed after construction
  const TlsServerOptions options;  // Fixed after construction

  mutable Mutex mu;
  ContextAndExpiry in_use GUARDED_BY(mu);
  Digest digest GUARDED_BY(mu){};
};

TlsServerContext::TlsServerContext() = default;
TlsServerContext::~TlsServerContext() = default;

Result<std::unique_ptr<TlsServerContext>> TlsServerContext::load(FileSystem& files,
                                                                 TlsServerOptions options) {
  if (options.certificate_file.empty() || options.key_file.empty()) {
    return fail(Code::kInvalidArgument,
                "TLS: a server needs both a certificate file and a key file");
  }
  if (options.require_client_certificate && options.client_ca_file.empty()) {
    return fail(Code::kInvalidArgument,
                "TLS: to require client certificates, name the CA file that signs them");
  }
  std::unique_ptr<TlsServerContext> made(new TlsServerContext);
  made->state_ = std::make_unique<State>(files, std::move(options));
  TRY(made->reload());
  return made;
}

std::shared_ptr<ssl::context> TlsServerContext::current() const {
  const MutexLock lock(state_->mu);
  return state_->in_use.context;
}

Status TlsServerContext::reload() {
  TRY_ASSIGN(auto pem, state_->read());
  TRY_ASSIGN(auto built, build_server(state_->options, pem));
  const MutexLock lock(state_->mu);
  state_->in_use = std::move(built);
  state_->digest = pem.digest();
  return {};
}

bool TlsServerContext::files_changed() const {
  const auto now = state_->read();
  if (!now) return false;  // a file that is being replaced: the next look sees it whole
  const MutexLock lock(state_->mu);
  return now->digest() != state_->digest;
}

int64_t TlsServerContext::expires_at_ms() const {
  const MutexLock lock(state_->mu);
  return state_->in_use.expires_at_ms;
}

struct TlsClientContext::State {
  State(FileSystem& file_system, TlsClientOptions tls_options)
      : files(file_system), options(std::move(tls_options)) {}

  FileSystem& files;               // Fixed after construction
  const TlsClientOptions options;  // Fixed after construction
  const Log log{"net"};

  Mutex mu;
  std::shared_ptr<ssl::context> context GUARDED_BY(mu);
  Digest digest GUARDED_BY(mu){};
};

TlsClientContext::TlsClientContext(FileSystem& files, TlsClientOptions options)
    : state_(std::make_unique<State>(files, std::move(options))) {}
TlsClientContext::~TlsClientContext() = default;

const TlsClientOptions& TlsClientContext::options() const { return state_->options; }

Result<std::shared_ptr<ssl::context>> TlsClientContext::current() {
  const TlsClientOptions& options = state_->options;
  auto pem = read_all(state_->files, options.certificate_file, options.key_file, options.ca_file);
  if (pem) take_texts(options, *pem);
  if (pem && pem->certificate.path.empty() != pem->key.path.empty()) {
    return fail(Code::kInvalidArgument,
                "TLS: a client certificate needs both a certificate file and a key file");
  }
  const MutexLock lock(state_->mu);
  if (pem && state_->context && pem->digest() == state_->digest) return state_->context;
  Result<std::shared_ptr<ssl::context>> built =
      pem ? build_client(options, *pem) : fail(pem.error());
  if (built) {
    state_->context = *built;
    state_->digest = pem->digest();
    return built;
  }
  if (!state_->context) return built;
  state_->log.warn("TLS client files are broken, the last good ones stay in use",
                   {{"error", built.error().message}});
  return state_->context;
}

}  // namespace binnacle::net
