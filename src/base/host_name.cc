#include "base/host_name.h"

#include <unistd.h>

namespace binnacle {

std::string host_name() {
  char name[256] = "localhost";
  gethostname(name, sizeof(name) - 1);
  return name;
}

}  // namespace binnacle
