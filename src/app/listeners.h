// From server.listen to bound sockets: TLS material is loaded, and an address beyond loopback
// without keys or mTLS is refused. Owned by the server's composition; TLS contexts outlive the
// net::Server.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/config.h"
#include "base/error.h"
#include "base/file_system.h"
#include "base/log.h"
#include "net/server.h"
#include "net/tls.h"
#include "store/access/access_guard.h"

namespace binnacle::app {

struct ListenPolicy {
  bool insecure = false;  // --insecure or server.insecure
  bool has_keys = false;  // at least one key exists
};

struct AskedFor {
  bool keys = false;
  bool client_certificate = false;
};

// Refuses an address that others reach and where nothing asks them for anything. `what`: as in
// "listen on 10.0.0.1:80".
Status check_exposure(const std::string& what, const std::string& address, AskedFor asked,
                      const ListenPolicy& policy);

// The gRPC port: with the TLS of the first entry of server.listen that has any, unless
// server.grpc_tls says no; and how it asks for keys.
struct GrpcTls {
  net::TlsServerOptions options;
  std::string listen_address;  // the entry's; empty: plain
};
GrpcTls grpc_tls(const Config& config);
store::access::ListenerAccess grpc_access(const Config& config);

// "127.0.0.1:8080" as it is; where it listens on all addresses, the machine's name instead.
std::string address_for_links(std::string_view listen_address, const std::string& host_name);

class Listeners {
 public:
  explicit Listeners(FileSystem& files) : files_(files) {}

  // Binds every entry of server.listen, or those of `addresses` when there are any (--listen),
  // which then take the first entry's other settings. Errors name the entry and the way out.
  Status bind(net::Server& server, const Config& config, const std::vector<std::string>& addresses,
              const ListenPolicy& policy);

  // How each bound address asks for keys, by the name that its requests carry. After bind().
  std::map<std::string, store::access::ListenerAccess> access(const net::Server& server) const;
  // "http://127.0.0.1:8080", in order of binding. After bind().
  std::vector<std::string> urls(const net::Server& server) const;
  // The first of them, as address_for_links() has it.
  std::string url_for_links(const net::Server& server, const std::string& host_name) const;

  // Reads certificates again: those whose files changed, or all. An error names the file; the old
  // one stays.
  Status reload_certificates(bool changed_only);

 private:
  Status bind_one(net::Server& server, const Config& entry, const std::string& address,
                  const ListenPolicy& policy);

  // Fixed after construction.
  FileSystem& files_;

  struct Bound {
    std::unique_ptr<net::TlsServerContext> tls;  // null: plain
    store::access::ListenerAccess access;
  };
  // Filled by bind(), then fixed; TlsServerContext may be used by any thread. In order of binding.
  std::vector<Bound> bound_;
};

}  // namespace binnacle::app
