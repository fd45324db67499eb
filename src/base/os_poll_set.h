// Descriptors whose changes are asked for, many at a time and without waiting. A change is told
// once: whoever hears that a descriptor is readable reads until nothing is left, or remembers that
// something may be. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace binnacle {

class OsPollSet {
 public:
  OsPollSet();  // works or takes no descriptor
  ~OsPollSet();
  OsPollSet(const OsPollSet&) = delete;
  OsPollSet& operator=(const OsPollSet&) = delete;

  // Told of by `number` from now on, of what is there already too; false: the system has no room.
  bool add(int fd, uint64_t number);
  void remove(int fd);
  // Whether it is told that the descriptor takes bytes; begins with that if it does.
  void watch_writes(int fd, uint64_t number, bool wanted);

  struct Change {
    uint64_t number = 0;
    bool readable = false;  // an end and a failure are read too
    bool writable = false;
    bool ended = false;  // the other side sends no more, or it failed
  };
  // What has changed since, as much as fits; the rest comes with the next call.
  size_t take(std::span<Change> changes);

 private:
  const int poll_;
};

}  // namespace binnacle
