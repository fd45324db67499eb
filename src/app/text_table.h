// Columns for people: as wide as their widest cell, two blanks between. Pure.
#pragma once

#include <string>
#include <vector>

namespace binnacle::app {

class TextTable {
 public:
  explicit TextTable(std::vector<std::string> heads) : rows_{std::move(heads)} {}

  // As many cells as heads. Line ends and other control characters become blanks.
  void add(std::vector<std::string> cells);
  bool empty() const { return rows_.size() == 1; }
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace binnacle::app
