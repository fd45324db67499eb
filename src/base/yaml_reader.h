// Reads a YAML file in another system's format (prometheus.yml, rule files) into plain structs:
// each field by its type, with a problem for every value that is not one and for every key that
// nobody asked for. Every message names the place: "scrape_configs[2].relabel_configs[0].action". A
// value that is bad leaves the field as it was. One thread; a YamlDocument outlives what is read
// from it.
//
//   YamlMap map(value);
//   map.read("job_name", config.job_name);
//   map.duration("scrape_interval", config.interval_ms);
//   map.finish();
#pragma once

#include "base/config_problem.h"
#include "base/config_yaml.h"

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace binnacle {

class YamlDocument;

using YamlPairs = std::vector<std::pair<std::string, std::string>>;

// A node and where it stands.
class YamlValue {
 public:
  YamlValue(YamlDocument& document, YamlNodePtr node, std::string path, int line);

  const YamlNode& node() const { return *node_; }
  const std::string& path() const { return path_; }
  YamlDocument& document() const { return *document_; }
  bool is_null() const { return node_->kind == YamlNode::Kind::kNull; }

  // nullopt: not of that type, and the document has a problem more. Nothing is text for a null.
  std::optional<std::string> text() const;
  std::optional<bool> boolean() const;
  std::optional<int64_t> integer() const;
  std::optional<double> number() const;
  std::optional<int64_t> duration_ms() const;  // Prometheus' grammar: "1h30m"
  // "10MB", "512KiB", both in powers of 1024 as Prometheus reads them; "0".
  std::optional<uint64_t> size_bytes() const;
  std::vector<YamlValue> items() const;      // of a list; a null is an empty one
  std::vector<std::string> strings() const;  // of a list of text
  YamlPairs string_map() const;              // of a map of text to text, in order of the file

  void problem(std::string_view message) const;
  // "what (value): advice"
  void problem(std::string_view what, std::string_view value, std::string_view advice) const;
  void warn(std::string_view message) const;

  // The same text for the same content: tells whether a reload changed something.
  std::string canonical_text() const;

 private:
  std::optional<std::string> scalar(std::string_view wanted) const;

  YamlDocument* document_;
  YamlNodePtr node_;
  std::string path_;
  int line_;
};

class YamlDocument {
 public:
  // `file_name` stands in every message; relative paths in the file are relative to its folder.
  YamlDocument(std::string file_name, std::string_view text);
  YamlDocument(const YamlDocument&) = delete;
  YamlDocument& operator=(const YamlDocument&) = delete;

  YamlValue root();
  std::string resolve(const std::string& path) const;  // "" stays ""

  ConfigProblems& problems() { return problems_; }
  ConfigProblems& warnings() { return warnings_; }  // what is read but changes nothing here
  Status status() const;                            // all problems as one error, each a line

 private:
  const std::string folder_;
  ConfigProblems problems_;
  ConfigProblems warnings_;
  YamlNodePtr root_;
};

// The fields of a map, each asked for once; a merge key (<<) gives what the map itself does not.
class YamlMap {
 public:
  // Anything else but a map or nothing is a problem and reads as an empty map.
  explicit YamlMap(YamlValue value);

  const YamlValue& value() const { return value_; }
  std::string path_of(std::string_view name) const;
  // Present, perhaps null. The key counts as known from then on.
  std::optional<YamlValue> take(std::string_view name);
  // As take(), without nulls: an empty field keeps its default.
  std::optional<YamlValue> field(std::string_view name);
  // Known, but of no effect here: a warning says so when it is set.
  void unused(std::string_view name, std::string_view why);
  // Belongs to somebody else who reads the same map: no problem, no reading.
  void known(std::string_view name) { known_.insert(std::string(name)); }
  std::vector<std::string> names() const;

  void read(std::string_view name, std::string& out);
  void read(std::string_view name, bool& out);
  void read(std::string_view name, uint64_t& out);  // a number from 0
  void read(std::string_view name, int64_t& out);
  void read(std::string_view name, double& out);
  void read(std::string_view name, std::vector<std::string>& out);
  void read(std::string_view name, YamlPairs& out);
  void duration(std::string_view name, int64_t& out_ms);
  void size(std::string_view name, uint64_t& out_bytes);
  void file(std::string_view name, std::string& out);  // resolved
  void choice(std::string_view name, std::string& out, std::span<const std::string_view> choices);

  // A problem for every key that was not asked for, with the known one nearby.
  void finish();

 private:
  void merge(const YamlNode& node);
  const YamlEntry* entry(std::string_view name) const;

  YamlValue value_;
  std::vector<YamlEntry> entries_;
  std::set<std::string, std::less<>> known_;
};

}  // namespace binnacle
