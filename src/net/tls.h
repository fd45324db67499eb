// TLS material: who we are and whom we trust, read from PEM files through the FileSystem. New files
// are taken up without dropping connections: each connection keeps the context that it began with.
// TLS 1.2 and 1.3 only.
#pragma once

#include "base/error.h"
#include "base/file_system.h"

#include <memory>
#include <string>

namespace boost::asio::ssl {
class context;
}

namespace binnacle::net {

struct TlsServerOptions {
  std::string certificate_file;  // PEM chain
  std::string key_file;          // PEM
  std::string client_ca_file;    // PEM; not empty: client certificates are asked for
  bool require_client_certificate = false;
};

struct TlsClientOptions {
  std::string ca_file;           // empty: the system's
  std::string certificate_file;  // for mTLS
  std::string key_file;
  // PEM itself, each where its file is not named.
  std::string ca_pem = {};
  std::string certificate_pem = {};
  std::string key_pem = {};
  std::string server_name;  // empty: the URL's host
  bool insecure_skip_verify = false;
  bool operator==(const TlsClientOptions&) const = default;
};

// Any thread. current() is handed to each new connection; reload() swaps it or keeps the old one
// and says why.
class TlsServerContext {
 public:
  // Errors name the file: missing, unreadable, not PEM, key does not fit the certificate, expired.
  static Result<std::unique_ptr<TlsServerContext>> load(FileSystem& files,
                                                        TlsServerOptions options);
  ~TlsServerContext();

  std::shared_ptr<boost::asio::ssl::context> current() const;
  Status reload();
  bool files_changed() const;     // by content; cheap enough for once a few seconds
  int64_t expires_at_ms() const;  // wall time of the certificate's end

 private:
  TlsServerContext();
  struct State;
  std::unique_ptr<State> state_;
};

// The client's side. Any thread. The files are looked at for each new TLS connection, so that a
// renewed certificate or CA is used at once; while they are broken the last good ones serve.
class TlsClientContext {
 public:
  TlsClientContext(FileSystem& files, TlsClientOptions options);
  ~TlsClientContext();
  TlsClientContext(const TlsClientContext&) = delete;
  TlsClientContext& operator=(const TlsClientContext&) = delete;

  // Errors as of TlsServerContext::load, when there never were good files.
  Result<std::shared_ptr<boost::asio::ssl::context>> current();
  const TlsClientOptions& options() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace binnacle::net
