// Which containers are looked for, and where their names stand.
#pragma once

#include <cstddef>
#include <string>

namespace binnacle::collect::container {

struct ContainerOptions {
  bool enabled = true;
  size_t max_containers = 512;  // further ones are counted and left out
  // Asked for names and images where it is there; empty: never. Reading it needs no more than GET.
  std::string docker_socket = "/var/run/docker.sock";
};

}  // namespace binnacle::collect::container
