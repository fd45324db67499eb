// Who is calling, and may they. The store of keys implements it; every door asks it.
#pragma once

#include <string_view>

#include "base/error.h"
#include "base/identity.h"

namespace binnacle::model {

class Authorizer {
 public:
  virtual ~Authorizer() = default;

  // True while no key was ever made: then loopback callers hold every role.
  virtual bool open() const = 0;
  // kUnauthenticated for an unknown, revoked or expired key. Never blocks; any thread.
  virtual Result<Identity> authenticate(std::string_view secret) const = 0;
};

}  // namespace binnacle::model
